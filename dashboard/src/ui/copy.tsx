// Copies text and says so. Works without the clipboard API (plain http on another host) by a hidden text field.
import { useEffect, useState } from 'preact/hooks';
import { Icon } from './icon';

const SHOWN_MS = 1_500;

/** @returns whether the text is on the clipboard now. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.setAttribute('readonly', '');
    field.className = 'hidden-text';
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

/** `text`: what to copy; `label`: what it is, e.g. “trace id”. With `word` the button shows a word beside its icon. */
export function CopyButton({ text, label, word }: { text: string | (() => string); label: string; word?: string }) {
  const [state, setState] = useState<'idle' | 'done' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => setState((await copyText(typeof text === 'string' ? text : text())) ? 'done' : 'failed');
  const said = state === 'done' ? 'Copied' : state === 'failed' ? 'Copying was refused' : `Copy ${label}`;
  return (
    <button class={word ? 'button quiet' : 'button quiet square'} type="button" aria-label={said} title={said} onClick={() => void copy()}>
      <Icon name={state === 'done' ? 'check' : state === 'failed' ? 'close' : 'copy'} />
      {word && <span>{state === 'done' ? 'Copied' : word}</span>}
    </button>
  );
}
