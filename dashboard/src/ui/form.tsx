// Dialogs with one form, and what sending one has in common: it is sent once, a refusal is said where it belongs, and everything
// else that goes wrong is a defect and is reported as one.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError } from '@/api/problem';
import { Button } from './button';
import { Dialog } from './dialog';

/** Whether something is on its way, and how to send it: `refused` gets the runtime's answer when that is no. */
export function useSending(refused: (problem: ApiError) => void): [boolean, (send: () => Promise<void>) => Promise<void>] {
  const [busy, setBusy] = useState(false);
  const sending = async (send: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    try {
      await send();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      refused(problem);
    } finally {
      setBusy(false);
    }
  };
  return [busy, sending];
}

interface FormProps {
  title: string;
  /** Word of the button. */
  action: string;
  busy: boolean;
  onSubmit: () => void;
  onClose: () => void;
  children: ComponentChildren;
}

/** Open for as long as it is rendered; Enter in a field is the button. */
export function FormDialog({ title, action, busy, onSubmit, onClose, children }: FormProps) {
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stack gap-l" onSubmit={submit}>
        {children}
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" busy={busy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
