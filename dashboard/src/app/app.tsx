// What is shown: the page whose route fits, in the shell; an entry page without it; or that the runtime is awaited.
import { pages } from '@/pages';
import type { Page, Route } from '@/pages/page';
import { matchPath, path } from '@/route/router';
import { Empty, Skeleton, Toasts } from '@/ui';
import { Boundary, BreakageBar } from './boundary';
import { Mark, Shell } from './shell';
import { standing } from './session';

export function App() {
  return (
    <>
      <BreakageBar />
      <Stage />
      <Toasts />
    </>
  );
}

function Stage() {
  const now = path.value;
  const found = findRoute(now);
  const who = standing.value;
  if (who === 'asking' || who === 'unreachable') return <Waiting unreachable={who === 'unreachable'} />;
  if (found?.page.bare) return <View at={now} {...found} />;
  if (who === 'nobody') return <Waiting unreachable={false} />;
  return <Shell>{found ? <View at={now} {...found} /> : <NotFound at={now} />}</Shell>;
}

interface Found {
  page: Page;
  route: Route;
  params: Record<string, string>;
}

function findRoute(at: string): Found | null {
  for (const page of pages) {
    for (const route of page.routes) {
      const params = matchPath(route.path, at);
      if (params) return { page, route, params };
    }
  }
  return null;
}

function View({ at, route, params }: Found & { at: string }) {
  const Body = route.view;
  return (
    <Boundary name={at}>
      <Body key={at} params={params} />
    </Boundary>
  );
}

function Waiting({ unreachable }: { unreachable: boolean }) {
  return (
    <main class="waiting" aria-live="polite">
      <Mark />
      {unreachable ? (
        <>
          <h1>The runtime does not answer</h1>
          <p class="dim">This page goes on by itself as soon as it does. Is `bridge serve` running?</p>
        </>
      ) : (
        <Skeleton rows={2} />
      )}
    </main>
  );
}

function NotFound({ at }: { at: string }) {
  return (
    <Empty icon="search" title="There is no such page">
      <p>
        Nothing lies at <span class="mono">{at}</span>. <a href="/">To the map</a>
      </p>
    </Empty>
  );
}
