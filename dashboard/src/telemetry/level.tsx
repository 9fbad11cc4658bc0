// The level of a line as a word in its colour, and a message as text with what was looked for marked.
import { useMemo } from 'preact/hooks';
import { pieces, visible } from './lines';

export function Level({ level }: { level: string }) {
  return <span class={`tm-level ${level}`}>{level}</span>;
}

/** Text nodes only: whatever a line says, it stays text. */
export function Marked({ text, words }: { text: string; words: string[] }) {
  const cut = useMemo(() => pieces(visible(text), words), [text, words]);
  return <>{cut.map((it, at) => (it.hit ? <mark key={at}>{it.text}</mark> : it.text))}</>;
}
