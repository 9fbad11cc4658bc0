// What is shown once: a key, a token. The dialog does not close by accident, and says that there is no second time.
import type { ComponentChildren } from 'preact';
import { Button } from './button';
import { CodeBlock } from './code';
import { Dialog } from './dialog';
import { Note } from './feedback';
import { Tabs } from './tabs';

interface Props {
  title: string;
  /** What it is called: “key”. */
  what: string;
  secret: string;
  /** How it is used, in the tools there are: name and text of each. */
  uses: readonly { title: string; label: string; text: string; wrap?: boolean }[];
  onClose: () => void;
  /** A remark below. */
  children: ComponentChildren;
}

export function SecretDialog({ title, what, secret, uses, onClose, children }: Props) {
  const stored = (
    <Button look="primary" icon="check" onClick={onClose}>
      I have stored the {what}
    </Button>
  );
  return (
    <Dialog title={title} onClose={onClose} sticky wide actions={stored}>
      <Note tone="warn">This is the only time the {what} is shown. The runtime keeps a digest and cannot show it again.</Note>
      <CodeBlock label={what} text={secret} wrap />
      <Tabs label={`How to use the ${what}`} tabs={uses.map((it) => ({ key: it.title, title: it.title, panel: () => <CodeBlock label={it.label} text={it.text} wrap={it.wrap ?? false} /> }))} />
      <p class="small dim">{children}</p>
    </Dialog>
  );
}
