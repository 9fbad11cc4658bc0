// The map as it is seen: canvases for calls, elements for nodes, and what pointer and keys do. All that paints is in scene.ts.
import { effect } from '@preact/signals';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { liveState } from '@/api/live';
import { percent, rate, duration, plural, themeVersion } from '@/ui';
import { arranged, arrangeScene, spots } from './arranger';
import { nextBox } from './camera';
import { Card, GroupBox, memberNode } from './card';
import { focusName, focusOn, select, selected, toggleGroup } from './choice';
import { listenGestures, zoomStep } from './gestures';
import { nameOf } from './graph';
import { serviceId, sumLoads, type Graph, type MapLink, type MapNode } from './model';
import type { Line } from './paint';
import { placesOf, related } from './places';
import { Scene } from './scene';
import { loads } from './store';

interface Props {
  graph: Graph;
  /** Name of the scene: its places are remembered under it. */
  scene: string;
  /** Ids that the search finds; null when nothing is searched. */
  found: ReadonlySet<string> | null;
  /** Gets the scene when it is there, for the toolbar. */
  onScene: (scene: Scene | null) => void;
}

interface Hint {
  x: number;
  y: number;
  line: Line;
}

export function Stage({ graph, scene: sceneName, found, onScene }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const world = useRef<HTMLDivElement>(null);
  const lines = useRef<HTMLCanvasElement>(null);
  const dots = useRef<HTMLCanvasElement>(null);
  const [scene, setScene] = useState<Scene | null>(null);
  const [hint, setHint] = useState<Hint | null>(null);
  const chosen = selected()?.id ?? null;
  const focus = focusName();
  const centre = focus === null ? null : serviceId(focus);
  const near = useMemo(() => related(graph, chosen ?? centre), [graph, chosen, centre]);

  useLayoutEffect(() => {
    const it = new Scene({ stage: stage.current!, world: world.current!, lines: lines.current!, dots: dots.current! });
    const measure = () => it.resize(stage.current!.clientWidth, stage.current!.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(stage.current!);
    const still = effect(() => {
      void themeVersion.value;
      it.recolour();
    });
    const deaf = listenGestures(stage.current!, it, {
      onGround: (x, y) => select(it.lineAt(x, y)?.link.id ?? null),
      onHover: (at) => {
        const line = at ? it.lineAt(at.x, at.y) : null;
        setHint(at && line ? { ...at, line } : null);
      },
    });
    setScene(it);
    onScene(it);
    return () => {
      onScene(null);
      observer.disconnect();
      still();
      deaf();
      it.stop();
    };
  }, []);

  useEffect(() => {
    if (scene) arrangeScene(sceneName, graph, scene.aspect, centre);
  }, [scene, graph, sceneName]);

  const now = spots.value;
  const fresh = arranged.value;
  const fitted = useRef('');
  useLayoutEffect(() => {
    if (!scene) return;
    const places = placesOf(graph, now);
    scene.place(graph, places);
    if (places.size > 0 && fitted.current !== sceneName && graph.nodes.every((it) => now[it.id])) {
      scene.fitAll(fitted.current === '' ? 'at once' : 'gliding');
      fitted.current = sceneName;
    }
  }, [scene, graph, now, fresh.number]);

  useEffect(() => {
    if (!scene) return;
    return effect(() => {
      const current = loads.value;
      const moving = liveState.value.kind === 'live';
      scene.look({
        loadOf: (link) => sumLoads(link.pairs.map((it) => current.links.get(it))),
        emphasisOf: (link: MapLink) => (near ? (near.links.has(link.id) ? 'lit' : 'dim') : 'normal'),
        moving,
      });
    });
  }, [scene, graph, near]);

  useEffect(() => {
    if (!scene || !chosen) return;
    // The panel that opens makes the stage smaller: what was chosen must not lie behind it.
    const later = setTimeout(() => scene.reveal(chosen), 60);
    return () => clearTimeout(later);
  }, [scene, chosen]);

  const mount = useCallback((id: string, element: HTMLElement | null) => scene?.mount(id, element), [scene]);
  const onToggle = useCallback((node: MapNode) => toggleGroup(node.title), []);
  const onChoose = useCallback((id: string) => select(selected()?.id === id ? null : id), []);
  const detail = scene?.detail.value ?? 'near';

  return (
    <div
      class={`mp-stage ${detail}`}
      ref={stage}
      role="application"
      aria-label="Map of services. Arrow keys walk between services, Enter opens one, plus and minus zoom, 0 fits everything, F focuses."
      onKeyDown={(event) => scene && onKey(event, scene, graph)}
    >
      <canvas class="mp-canvas" ref={lines} aria-hidden="true" />
      <canvas class="mp-canvas" ref={dots} aria-hidden="true" />
      <div class="mp-world" ref={world}>
        {scene && <Nodes {...{ scene, graph, chosen, near, found, mount, onToggle, onChoose }} />}
      </div>
      {hint && <LineHint {...hint} />}
    </div>
  );
}

interface NodesProps {
  scene: Scene;
  graph: Graph;
  chosen: string | null;
  near: ReturnType<typeof related>;
  found: ReadonlySet<string> | null;
  mount: (id: string, element: HTMLElement | null) => void;
  onToggle: (node: MapNode) => void;
  onChoose: (id: string) => void;
}

function Nodes({ scene, graph, chosen, near, found, mount, onToggle, onChoose }: NodesProps) {
  const visible = scene.visible.value;
  const cards = useMemo(() => cardsOf(graph), [graph]);
  const shown = cards.filter((it) => visible.has(it.id));
  const reachable = shown.find((it) => it.id === chosen && !it.open)?.id ?? shown.find((it) => !it.open)?.id;
  return (
    <>
      {shown.map((node) =>
        node.open ? (
          <GroupBox key={node.id} {...{ node, mount, onToggle }} />
        ) : (
          <Card
            key={node.id}
            {...{ node, mount, onToggle, onChoose }}
            chosen={node.id === chosen}
            dim={(near !== null && !near.nodes.has(node.id)) || (found !== null && !found.has(node.id))}
            found={found?.has(node.id) ?? false}
            reachable={node.id === reachable}
          />
        ),
      )}
    </>
  );
}

/** Boxes of open groups first, so that their members lie above them. */
function cardsOf(graph: Graph): MapNode[] {
  const boxes = graph.nodes.filter((it) => it.open);
  const inside = boxes.flatMap((box) => box.members.map((it, at) => memberNode(it, graph.inside.get(box.id)?.[at] ?? it.name, box.title)));
  return [...boxes, ...graph.nodes.filter((it) => !it.open), ...inside];
}

const WALK: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(event: KeyboardEvent, scene: Scene, graph: Graph): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = (event.target as HTMLElement).closest<HTMLElement>('[data-node]')?.dataset.node ?? selected()?.id ?? null;
  const step = WALK[event.key];
  if (step) walk(scene, graph, at, step);
  else if (event.key === '+' || event.key === '=') zoomStep(scene, 1);
  else if (event.key === '-') zoomStep(scene, -1);
  else if (event.key === '0') scene.fitAll('gliding');
  else if (event.key === 'Escape') escape();
  else if (event.key === 'f' && at) focusOn(focusName() === nameOf(at) ? null : nameOf(at));
  else if (event.key === 'e' && at?.startsWith('g:')) toggleGroup(at.slice(2));
  else if ((event.key === 'Enter' || event.key === ' ') && at) select(selected()?.id === at ? null : at);
  else return;
  event.preventDefault();
}

function escape(): void {
  if (selected()) select(null);
  else if (focusName() !== null) focusOn(null);
}

function walk(scene: Scene, graph: Graph, from: string | null, [dx, dy]: readonly [number, number]): void {
  const boxes = [...scene.all()].filter(([id]) => !graph.inside.has(id)).map(([id, it]) => ({ id, x: it.x, y: it.y }));
  const here = boxes.find((it) => it.id === from);
  const next = here ? nextBox(here, boxes, dx, dy) : boxes[0];
  if (!next) return;
  scene.reveal(next.id);
  const focus = (tries: number) => {
    const element = scene.element(next.id);
    if (element) element.focus({ preventScroll: true });
    else if (tries > 0) requestAnimationFrame(() => focus(tries - 1));
  };
  focus(30);
}

function LineHint({ x, y, line }: Hint) {
  const { link, load } = line;
  const title = `${titleOf(link.from)} → ${titleOf(link.to)}`;
  return (
    <div class="mp-hint" style={{ left: `${x + 12}px`, top: `${y + 12}px` }}>
      <strong>{title}</strong>
      <span class="dim">
        {load ? `${rate(load.per_second)} · ${percent(load.errors, load.count)} failed · p95 ${duration(load.p95_ms)}` : link.declared ? 'declared, not called in the last minute' : 'not called in the last minute'}
      </span>
      <span class="faint">{plural(link.methods, 'method')}</span>
    </div>
  );
}

/** What a node is called, by its id. */
export const titleOf = (id: string): string => (id === 'outside' ? 'Outside' : id.slice(2));
