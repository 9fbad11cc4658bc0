// The frame of pages that need no session: what this is, the form, and nothing else to click on.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export function EntryFrame({ title, children }: { title: string; children: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · bridge`;
  }, [title]);
  const card = useRef<HTMLDivElement>(null);
  // A browser heeds `autofocus` once in a document: not after somebody has logged out.
  useEffect(() => card.current?.querySelector<HTMLElement>('[autofocus]')?.focus(), []);
  return (
    <main class="en-page">
      <div class="en-card card" ref={card}>
        <div class="en-head">
          <img src="/icon.svg" width="40" height="40" alt="" />
          <div>
            <p class="en-brand">bridge</p>
            <h1>{title}</h1>
          </div>
        </div>
        {children}
      </div>
    </main>
  );
}
