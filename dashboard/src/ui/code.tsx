// Text in a fixed pitch, with a button that copies it.
import { CopyButton } from './copy';

/** `label` names it for the copy button: “command”, “key”. */
export function CodeBlock({ text, label = 'text', wrap }: { text: string; label?: string; wrap?: boolean }) {
  return (
    <div class="code">
      <pre class={wrap ? 'wraps' : ''} tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}
