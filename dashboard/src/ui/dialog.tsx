// A modal dialog on the browser's own <dialog>: focus is trapped and comes back, Escape closes, the rest is inert.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Button, IconButton } from './button';
import { Field, Input } from './field';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Buttons at the bottom. */
  actions?: ComponentChildren;
  wide?: boolean;
  /** A click outside does not close it (something shown once is inside). */
  sticky?: boolean;
}

/** Open for as long as it is rendered. */
export function Dialog({ title, onClose, children, actions, wide, sticky }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const it = box.current;
    const before = document.activeElement as HTMLElement | null;
    it?.showModal();
    it?.querySelector<HTMLElement>('[autofocus], .dialog-body input, .dialog-body select')?.focus();
    return () => {
      it?.close();
      before?.focus?.();
    };
  }, []);
  const outside = (event: MouseEvent) => {
    if (!sticky && event.target === box.current) onClose();
  };
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog class={`dialog ${wide ? 'wide' : ''}`} ref={box} aria-labelledby={id} onMouseDown={outside} onCancel={cancel}>
      <div class="dialog-head">
        <h1 id={id}>{title}</h1>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </div>
      <div class="dialog-body stack">{children}</div>
      {actions && <div class="dialog-actions">{actions}</div>}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What will happen. */
  children: ComponentChildren;
  /** Word of the button. */
  action: string;
  /** Given, it must be typed first. */
  typed?: string;
  onConfirm: () => Promise<void>;
  onClose: () => void;
}

/** Asks before something that cannot be taken back. Closes itself when `onConfirm` resolves. */
export function ConfirmDialog({ title, children, action, typed, onConfirm, onClose }: ConfirmProps) {
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const ready = !typed || text === typed;
  const confirm = async (event: Event) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setError('');
    try {
      await onConfirm();
      onClose();
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stack gap-l" onSubmit={(event) => void confirm(event)}>
        <div class="stack">{children}</div>
        {typed && (
          <Field label={`Type “${typed}” to confirm`} error={error}>
            {(aria) => <Input {...aria} value={text} onText={setText} autofocus />}
          </Field>
        )}
        {!typed && error && <p class="bad">{error}</p>}
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" type="submit" busy={busy} disabled={!ready}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
