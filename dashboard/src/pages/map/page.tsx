// The map's page: what is known, as map or as list, with what is chosen beside it.
import { useMemo, useRef, useState } from 'preact/hooks';
import { Empty, PageFrame, Skeleton } from '@/ui';
import { forgetScene } from './arranger';
import { focusHops, focusName, grouped, openGroups, select, selected, showsAbsent, showsList } from './choice';
import { drawGraph } from './graph';
import { ListView } from './list';
import type { Graph } from './model';
import { Panel } from './panel';
import type { Scene } from './scene';
import { Stage } from './stage';
import { topology, useMapNews } from './store';
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
  const found = useMemo(() => (graph && text ? matching(graph, text) : null), [graph, text]);
  if (!graph) {
    return (
      <PageFrame title="Map" fill>
        <Skeleton rows={6} />
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
    <PageFrame title="Map" fill bar={<Toolbar graph={graph} search={search} onSearch={setSearch} onFirst={first} found={found ? found.size : null} />} actions={<ViewSwitch />}>
      <div class="mp-room">
        <div class="mp-main">
          {nothing && <Nothing absent={graph.absent} />}
          {!nothing && (showsList() ? <ListView graph={graph} search={text} /> : <Stage graph={graph} scene={sceneName} found={found} onScene={setScene} />)}
          {!nothing && !showsList() && (
            <>
              <ZoomButtons scene={scene} onAnew={again} />
              <Legend />
            </>
          )}
        </div>
        {id && <Panel graph={graph} id={id} />}
      </div>
    </PageFrame>
  );
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
