// What both pages of metrics share: the title, and the way from one to the other.
import type { ComponentChildren } from 'preact';
import { path, place } from '@/route/router';
import { PageFrame } from '@/ui';

const PAGES = [
  ['/metrics', 'Services and routes'],
  ['/metrics/explore', 'Explore'],
] as const;

export function MetricsFrame({ note, fill, children }: { note?: ComponentChildren; fill?: boolean; children: ComponentChildren }) {
  const service = place.value.query.get('service');
  const query = service ? `?service=${encodeURIComponent(service)}` : '';
  return (
    <PageFrame
      title="Metrics"
      fill={fill ?? false}
      note={
        <>
          <nav class="mt-nav" aria-label="Metrics">
            {PAGES.map(([to, word]) => (
              <a key={to} href={`${to}${query}`} {...(path.value === to ? { 'aria-current': 'page' as const } : {})}>
                {word}
              </a>
            ))}
          </nav>
          {note}
        </>
      }
    >
      {children}
    </PageFrame>
  );
}
