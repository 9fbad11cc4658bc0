// What a page shows instead of data: nothing yet (Skeleton), nothing at all (Empty), a refusal (ErrorNote); and toasts.
import type { ComponentChildren } from 'preact';
import { signal } from '@preact/signals';
import { ApiError, isAbort } from '@/api/problem';
import { Button, IconButton } from './button';
import { Icon, type IconName } from './icon';

/** Grey lines where text will be. `rows` of them, read aloud as “loading”. */
export function Skeleton({ rows = 3, height = 16 }: { rows?: number; height?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, at) => (
        <span key={at} style={{ height: `${height}px`, width: `${[92, 78, 85, 64][at % 4]}%` }} />
      ))}
    </div>
  );
}

/** Says that there is nothing, why, and what to do about it (children: text, code, buttons). */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={24} />
      </span>
      <h2>{title}</h2>
      {children && <div class="stack dim">{children}</div>}
    </div>
  );
}

/** A refusal, with the sentence the runtime gave and a way to try again. */
export function ErrorNote({ error, again }: { error: ApiError | null; again?: () => void }) {
  if (!error) return null;
  return (
    <div class="note bad" role="alert">
      <Icon name={error.unreachable ? 'warn' : 'error'} />
      <span class="grow">{error.detail || error.title}</span>
      {again && (
        <Button look="quiet" icon="refresh" onClick={again}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** A remark on the page: `tone` is also told by its icon. */
export function Note({ tone = 'info', children }: { tone?: 'info' | 'warn' | 'bad' | 'ok'; children: ComponentChildren }) {
  const icons: Record<string, IconName> = { info: 'info', warn: 'warn', bad: 'error', ok: 'check' };
  return (
    <div class={`note ${tone}`}>
      <Icon name={icons[tone] ?? 'info'} />
      <span class="grow">{children}</span>
    </div>
  );
}

interface Toast {
  id: number;
  tone: 'ok' | 'bad' | 'info';
  text: string;
}

const TOASTS_MAX = 4;
const TOAST_MS = 6_000;
const toasts = signal<Toast[]>([]);
let toastIds = 0;

/** Says something at the corner for six seconds; read aloud politely. At most four at once, the oldest goes. */
export function toast(text: string, tone: Toast['tone'] = 'ok'): void {
  const id = ++toastIds;
  toasts.value = [...toasts.peek(), { id, tone, text }].slice(-TOASTS_MAX);
  setTimeout(() => dismiss(id), TOAST_MS);
}

/** The toast of a failed change: the runtime's sentence. Aborts are silent. */
export function toastError(error: unknown): void {
  if (!isAbort(error)) toast(error instanceof ApiError ? error.detail || error.title : String(error), 'bad');
}

const dismiss = (id: number) => (toasts.value = toasts.peek().filter((it) => it.id !== id));

/** Where toasts appear; the shell has one. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((it) => (
        <div key={it.id} class={`toast ${it.tone}`}>
          <Icon name={it.tone === 'ok' ? 'check' : it.tone === 'bad' ? 'error' : 'info'} />
          <span class="grow">{it.text}</span>
          <IconButton icon="close" label="Dismiss" onClick={() => dismiss(it.id)} />
        </div>
      ))}
    </div>
  );
}
