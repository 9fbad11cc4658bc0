// The frame of a page: its title (the one <h1>), what may be done at its right, and a body that fills the rest.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { IconButton } from './button';
import { LiveStale } from './time';

interface PageProps {
  title: string;
  /** Beside the title: a count, a badge. */
  note?: ComponentChildren;
  actions?: ComponentChildren;
  /** Filters in the same row as the title, between it and the actions. */
  bar?: ComponentChildren;
  /** Where this page lies: `[["Traces", "/traces"]]`. */
  trail?: readonly (readonly [string, string])[];
  /** The body scrolls as a whole (default), or fills and scrolls inside (tables, maps). */
  fill?: boolean;
  children: ComponentChildren;
}

export function PageFrame({ title, note, actions, bar, trail, fill, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · bridge`;
  }, [title]);
  return (
    <div class={`page ${fill ? 'fills' : ''}`}>
      <div class="page-head">
        {trail?.map(([word, to]) => (
          <span key={to} class="row gap-xs">
            <a href={to}>{word}</a>
            <span class="faint" aria-hidden="true">
              /
            </span>
          </span>
        ))}
        <h1 class="cut" title={title}>
          {title}
        </h1>
        {note}
        <LiveStale />
        {bar && <div class="page-bar">{bar}</div>}
        <div class="page-actions">{actions}</div>
      </div>
      <div class="page-body">{children}</div>
    </div>
  );
}

/** A panel at the right side of a page; Escape closes it. */
export function SidePanel({ title, head, onClose, children }: { title: string; head?: ComponentChildren; onClose: () => void; children: ComponentChildren }) {
  const escape = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && !(event.target as HTMLElement).closest('input, dialog')) onClose();
  };
  return (
    <aside class="side" aria-label={title} onKeyDown={escape}>
      <div class="side-head">
        <h2 class="cut grow" title={title}>
          {title}
        </h2>
        {head}
        <IconButton icon="close" label="Close panel" onClick={onClose} />
      </div>
      <div class="side-body">{children}</div>
    </aside>
  );
}

/** A titled part of a page or panel. */
export function Section({ title, note, actions, children }: { title: string; note?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="section">
      <div class="section-head">
        <h2>{title}</h2>
        {note && <span class="faint small">{note}</span>}
        {actions && <div class="page-actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** Names and values in two columns. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
