// The methods of one call. The stream carries pairs of services only; methods are asked for while somebody looks.
import { get } from '@/api/client';
import type { LiveEdge, LiveMap } from '@/api/types';
import { useResource } from '@/route/resource';
import { searchWords } from '@/telemetry/red';
import { ErrorNote, KindTag, plural, Section, Skeleton, Stale, StatusBadge } from '@/ui';
import { pairKey, type MapLink } from './model';
import { RouteNumbers } from './numbers';

/** The whole map is asked for: much to read for a few lines. */
const REFRESH_MS = 15_000;
const METHODS_MAX = 80;

export function LinkMethods({ link, windowMs }: { link: MapLink; windowMs: number }) {
  const wanted = new Set(link.pairs);
  const found = useResource(`edges ${link.id}`, (signal) => get<LiveMap>('/map', { window_ms: windowMs }, signal), { everyMs: REFRESH_MS });
  const map = found.data.value;
  if (!map) return found.error.value ? <ErrorNote error={found.error.value} again={found.reload} /> : <Skeleton />;
  const edges = map.edges.filter((it) => wanted.has(pairKey(it.from, it.to))).sort((a, b) => (b.load?.per_second ?? -1) - (a.load?.per_second ?? -1));
  const many = link.pairs.length > 1;
  return (
    <Section title="Methods" note={String(edges.length)} actions={<Stale since={found.staleSinceUnixMs.value} />}>
      <ul class="mp-list">
        {edges.slice(0, METHODS_MAX).map((it) => (
          <Method key={`${it.from} ${it.to} ${it.kind} ${it.method}`} edge={it} names={many} />
        ))}
      </ul>
      {edges.length > METHODS_MAX && <p class="faint small">and {plural(edges.length - METHODS_MAX, 'more', 'more')}</p>}
    </Section>
  );
}

function Method({ edge, names }: { edge: LiveEdge; names: boolean }) {
  const { load } = edge;
  return (
    <li class="mp-method">
      <div class="row">
        <KindTag kind={edge.kind} short />
        <a class="grow cut" href={`/traces?service=${encodeURIComponent(edge.to)}&text=${encodeURIComponent(searchWords(edge.method))}`} title={edge.method}>
          {edge.method}
        </a>
        {load ? (
          <RouteNumbers load={load} />
        ) : (
          <span class="faint small">{edge.declared ? 'declared, not called' : 'quiet'}</span>
        )}
      </div>
      {(names || (edge.declared && !edge.live) || !edge.declared) && (
        <div class="row small faint">
          {names && `${edge.from || 'outside'} → ${edge.to}`}
          {edge.declared && !edge.live && <StatusBadge tone="warn">nobody serves it</StatusBadge>}
          {!edge.declared && edge.from !== '' && <span>observed, not declared</span>}
        </div>
      )}
    </li>
  );
}
