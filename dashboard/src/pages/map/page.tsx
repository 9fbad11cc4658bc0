// The map's page: what is known, as map or as list, with what is chosen beside it.
import { useMemo, useRef, useState } from 'preact/hooks';
import { OwnStale } from '@/telemetry/own-stale';
import { Empty, ErrorNote, PageFrame, Skeleton } from '@/ui';
import { forgetScene } from './arranger';
import { focusHops, focusName, grouped, openGroups, select, selected, showsAbsent, showsList } from './choice';
import { drawGraph } from './graph';
import { listed, ListView } from './list';
import type { Graph } from './model';
import { Panel } from './panel';
import type { Scene } from './scene';
import { Stage } from './stage';
import { silence, topology, useMapNews } from './store';
import { FirstSteps, Legend, Toolbar, ViewSwitch, ZoomButtons } from './toolbar';
import './map.css';

export function MapPage() {
  useMapNews();
  const now = topology.value;
  const [search, setSearch] = useState('');
  const [scene, setScene] = useState<Scene | null>(null);
  const [anew, setAnew] = useState(0);
  const wish = useWish(now?.services.length ?? 0);
  const graph = useMemo(() => (now ? drawGraph(now.services, now.links, wish) : null), [now, wish, anew]);
  const text = search.trim().toLowerCase();
  const list = showsList();
  const found = useMemo(() => (graph && text ? (list ? listed : matching)(graph, text) : null), [graph, text, list]);
  if (!graph) {
    return (
      <PageFrame title="Map" fill>
        {silence.value ? <ErrorNote error={silence.value.error} /> : <Skeleton rows={6} />}
      </PageFrame>
    );
  }
  const sceneName = `${wish.grouped ? 'groups' : 'services'} ${wish.focus ?? ''} ${wish.hops} ${wish.absent}`;
  const first = () => {
    const id = found?.values().next().value;
    if (id === undefined) return;
    select(id);
    scene?.reveal(id);
  };
  const again = () => {
    forgetScene(sceneName);
    setAnew(anew + 1);
  };
  const id = selected()?.id;
  const nothing = graph.nodes.length === 0;
  return (
    <PageFrame title="Map" fill note={<OwnStale since={silence.value?.sinceUnixMs ?? null} />} bar={<Toolbar graph={graph} search={search} onSearch={setSearch} onFirst={first} found={found ? found.size : null} />} actions={<ViewSwitch />}>
      <div class="mp-room">
        <div class="mp-main">
          {nothing && <Nothing absent={graph.absent} />}
          {!nothing && (list ? <ListView graph={graph} found={found} /> : <Stage graph={graph} scene={sceneName} found={found} onScene={setScene} />)}
          {!nothing && !list && (
            <>
              <ZoomButtons scene={scene} onAnew={again} />
              <Legend />
            </>
          )}
        </div>
        {id && <Panel graph={graph} id={id} onClose={() => closePanel(id, scene)} />}
      </div>
    </PageFrame>
  );
}

/** Whoever had the panel open goes on at what it was about. */
function closePanel(id: string, scene: Scene | null): void {
  const node = scene?.element(id.split('>')[0] ?? id);
  const row = document.querySelector<HTMLElement>('.mp-main [role=row][aria-selected=true]');
  select(null);
  (node ?? row)?.focus({ preventScroll: true });
}

/** The wish in the URL, the same object while it says the same. */
function useWish(services: number) {
  const focus = focusName();
  const [hops, isGrouped, absent] = [focusHops(), grouped(services), showsAbsent()];
  const open = [...openGroups()].sort().join(',');
  const key = JSON.stringify([focus, hops, isGrouped, absent, open]);
  const last = useRef({ key: '', wish: { grouped: false, open: new Set<string>(), focus: null as string | null, hops: 1, absent: false } });
  if (last.current.key !== key) last.current = { key, wish: { grouped: isGrouped, open: new Set(open.split(',').filter(Boolean)), focus, hops, absent } };
  return last.current.wish;
}

/** Ids of nodes whose title, or that of a member, holds the text. */
function matching(graph: Graph, text: string): Set<string> {
  const found = new Set<string>();
  for (const node of graph.nodes) {
    const own = node.title.toLowerCase().includes(text);
    const members = node.members.filter((it) => it.name.toLowerCase().includes(text));
    if (own || members.length > 0) found.add(node.id);
    if (node.open) members.forEach((it) => found.add(`s:${it.name}`));
  }
  return found;
}

function Nothing({ absent }: { absent: number }) {
  return (
    <Empty icon="map" title={absent > 0 ? 'No service runs' : 'No service yet'}>
      {absent > 0 ? <p>{absent === 1 ? 'One service is' : `${absent} services are`} registered and none of them has an instance now. As soon as one starts, it appears here.</p> : <FirstSteps />}
    </Empty>
  );
}
