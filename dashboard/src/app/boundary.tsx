// When something breaks: a part that fails to render is replaced by a note, and any error that nobody caught shows a bar. The
// rest of the console goes on working.
import { Component, type ComponentChildren } from 'preact';
import { signal } from '@preact/signals';
import { isAbort } from '@/api/problem';
import { Button, copyText, IconButton } from '@/ui';
import { Icon } from '@/ui/icon';

interface Breakage {
  text: string;
  times: number;
}

const DETAILS_MAX = 4_000;
const breakage = signal<Breakage | null>(null);

function report(error: unknown): void {
  // Chromium tells when observers of sizes take two rounds; nothing is wrong then.
  if (isAbort(error) || String(error).includes('ResizeObserver loop')) return;
  const text = (error instanceof Error ? (error.stack ?? error.message) : String(error)).slice(0, DETAILS_MAX);
  breakage.value = { text, times: (breakage.peek()?.times ?? 0) + 1 };
}

/** Listens for errors; once, at start. */
export function startBoundary(): void {
  addEventListener('error', (event) => report(event.error ?? event.message));
  addEventListener('unhandledrejection', (event) => report(event.reason));
}

/** “Something broke in this page”, with details to copy. */
export function BreakageBar() {
  const it = breakage.value;
  if (!it) return null;
  const details = () => `${location.pathname}\n${navigator.userAgent}\n${new Date().toISOString()}\n${it.text}`;
  return (
    <div class="breakage" role="alert">
      <Icon name="warn" />
      <span class="grow cut">
        Something broke in this page{it.times > 1 ? ` (${it.times} times)` : ''}. The rest keeps working. <span class="mono">{it.text.split('\n')[0]}</span>
      </span>
      <Button look="quiet" icon="copy" onClick={() => void copyText(details())}>
        Copy details
      </Button>
      <Button look="quiet" icon="refresh" onClick={() => location.reload()}>
        Reload
      </Button>
      <IconButton icon="close" label="Dismiss" onClick={() => (breakage.value = null)} />
    </div>
  );
}

/** Keeps a failing page from taking the shell with it. `name` changes when another page is shown: then it tries anew. */
export class Boundary extends Component<{ name: string; children: ComponentChildren }, { failed: string | null }> {
  override state = { failed: null as string | null };

  override componentDidCatch(error: unknown): void {
    report(error);
    this.setState({ failed: this.props.name });
  }

  override render() {
    if (this.state.failed !== this.props.name) return this.props.children;
    return (
      <div class="empty">
        <h1>This page broke</h1>
        <p class="dim">The others keep working. Try again; if it breaks again, copy the details from the bar below into a report.</p>
        <Button icon="refresh" onClick={() => this.setState({ failed: null })}>
          Try again
        </Button>
      </div>
    );
  }
}
