// # How a page plugs in: one folder, nothing else to edit
//
// `pages/NAME/index.ts(x)` has a default export:
//
//   import { definePage } from '@/pages/page';
//   import { Traces, Trace } from './list';
//   import './traces.css';
//   export default definePage({
//     id: 'traces', title: 'Traces', icon: 'traces', order: 20,
//     routes: [{ path: '/traces', view: Traces }, { path: '/traces/:id', view: Trace }],
//   });
//
// It is found here by its name, appears in the navigation at its `order` (map 10, traces 20, logs 30, services 40, metrics
// 50, settings 90; events, jobs, runs and machines will be 60 to 80), and its routes work on reload. `bare: true` is for pages
// without a session (login, setup).
//
// What a page uses, and from where (a page imports no other page):
//
//   '@/ui'             components, formatters, icons, theme: see ui/index.ts. <PageFrame title … fill> is the outermost
//                      element of every page; <SidePanel>, <Section>, <Facts>, <DataTable>, <FilterBar>, <Chart> go inside.
//   '@/route/router'   place, navigate, setQuery, pageSignal; links are <a href="/traces/ID">
//   '@/route/resource' useResource(key, (signal) => get<T>(path, query, signal), {everyMs}): data, error, stale mark, retries
//   '@/api/client'     get, post, put, patch, del: typed JSON; they throw ApiError (api/problem.ts)
//   '@/api/live'       subscribe({topics, query, on: {ops(event) {…}}, onGap}): one stream per tab, reconnects by itself
//   '@/api/types'      the wire's types; add what is missing
//   '@/app/session'    session (signal), isAdmin(): a viewer sees everything read-only, with the reason
//
//   useEffect(() => subscribe({ topics: ['ops'], query: { service }, on: { ops: (it) => add(it.ops) }, onGap: reload }), [service]);
//
// Rules: text is text (no innerHTML, no markup from data). Numbers of the stream get <LiveStale/> (PageFrame has it), those of a
// resource <OwnStale since={resource.staleSinceUnixMs.value}/> (telemetry/own-stale). Class names of a page begin with its own short prefix
// (`tr-`, `lg-`, `sv-`, `mt-`, `st-`, `en-`, `mp-`). Colours only through var(--…) of ui/tokens.css. Lists that grow are bounded by a named limit.
// Pure parts (layout, merging, ranges) live in files without preact and have NAME.test.ts beside them (vitest, no browser).
// Try: `npm run dev` (see vite.config.ts for the runtime it talks to), `npm run check`, `npm run build`.
import type { Page } from './page';

const found = import.meta.glob<{ default: Page }>('./*/index.{ts,tsx}', { eager: true });

/** All pages, in the order of the navigation. */
export const pages: readonly Page[] = Object.values(found)
  .map((it) => it.default)
  .sort((a, b) => (a.order ?? 1000) - (b.order ?? 1000) || a.id.localeCompare(b.id));
