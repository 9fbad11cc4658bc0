// The map as it is seen: canvases for calls, elements for nodes, and what pointer and keys do. All that paints is in scene.ts.
import { effect } from '@preact/signals';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { liveState } from '@/api/live';
import { percent, rate, duration, plural, themeVersion } from '@/ui';
import { arranged, arrangeScene } from './arranger';
import { nextBox } from './camera';
import { Card, GroupBox, memberNode } from './card';
import { focusName, focusOn, select, selected, toggleGroup } from './choice';
import { listenGestures, zoomStep } from './gestures';
import { nameOf, titleOf } from './graph';
import { OUTSIDE_ID, sameNode, serviceId, sumLoads, type Graph, type MapLink, type MapNode } from './model';
import type { Line } from './looks';
import { placesOf, related } from './places';
import { keepSame } from './same';
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
  const refs = { stage: useRef<HTMLDivElement>(null), world: useRef<HTMLDivElement>(null), lines: useRef<HTMLCanvasElement>(null), dots: useRef<HTMLCanvasElement>(null) };
  const [hint, setHint] = useState<Hint | null>(null);
  const chosen = selected()?.id ?? null;
  const focus = focusName();
  const centre = focus === null ? null : serviceId(focus);
  const near = useMemo(() => related(graph, chosen ?? centre), [graph, chosen, centre]);
  const scene = useScene(refs, setHint, onScene);
  usePlaces(scene, graph, sceneName, centre);
  useLooks(scene, graph, near);
  useReveal(scene, chosen);
  const mount = useCallback((id: string, element: HTMLElement | null) => scene?.mount(id, element), [scene]);
  const onToggle = useCallback((node: MapNode) => toggleGroup(node.title), []);
  const onChoose = useCallback((id: string) => select(selected()?.id === id ? null : id), []);
  return (
    <div
      class={`mp-stage ${scene?.detail.value ?? 'near'}`}
      ref={refs.stage}
      role="application"
      aria-label="Map of services. Arrow keys walk between services, Enter opens one, plus and minus zoom, 0 fits everything, F focuses."
      onKeyDown={(event) => scene && onKey(event, scene, graph)}
    >
      <canvas class="mp-canvas" ref={refs.lines} aria-hidden="true" />
      <canvas class="mp-canvas" ref={refs.dots} aria-hidden="true" />
      <div class="mp-world" ref={refs.world}>
        {scene && <Nodes {...{ scene, graph, chosen, near, found, mount, onToggle, onChoose }} />}
      </div>
      {hint && <LineHint {...hint} />}
    </div>
  );
}

type Ref<It> = { current: It | null };
interface Refs {
  stage: Ref<HTMLDivElement>;
  world: Ref<HTMLDivElement>;
  lines: Ref<HTMLCanvasElement>;
  dots: Ref<HTMLCanvasElement>;
}

/** The scene on these elements, for as long as they are there: follows their size, the theme, pointer and fingers. */
function useScene(refs: Refs, onHint: (hint: Hint | null) => void, onScene: Props['onScene']): Scene | null {
  const [scene, setScene] = useState<Scene | null>(null);
  useLayoutEffect(() => {
    const stage = refs.stage.current!;
    const it = new Scene({ stage, world: refs.world.current!, lines: refs.lines.current!, dots: refs.dots.current! });
    const measure = () => it.resize(stage.clientWidth, stage.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(stage);
    const still = effect(() => {
      void themeVersion.value;
      it.recolour();
    });
    const deaf = listenGestures(stage, it, {
      onGround: (x, y) => select(it.lineAt(x, y)?.link.id ?? null),
      onHover: (at) => {
        const line = at ? it.lineAt(at.x, at.y) : null;
        onHint(at && line ? { ...at, line } : null);
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
  return scene;
}

/** Asks for places when the graph's shape changes, takes them when they come, and fits a scene that is shown for the first time. */
function usePlaces(scene: Scene | null, graph: Graph, name: string, centre: string | null): void {
  const now = arranged.value;
  const fitted = useRef('');
  useEffect(() => {
    if (scene) arrangeScene(name, graph, scene.aspect, centre);
  }, [scene, graph, name]);
  useLayoutEffect(() => {
    if (!scene) return;
    scene.place(graph, placesOf(graph, now.spots));
    const ready = now.scene === name && graph.nodes.every((it) => now.spots[it.id]);
    if (!ready) return;
    if (fitted.current === name) return scene.keepAll();
    scene.fitAll(fitted.current === '' ? 'at once' : 'gliding');
    fitted.current = name;
  }, [scene, graph, now, name]);
}

/** Each second's loads, and what is chosen, become looks of the calls. Dots rest while nothing arrives. */
function useLooks(scene: Scene | null, graph: Graph, near: ReturnType<typeof related>): void {
  useEffect(() => {
    if (!scene) return;
    return effect(() => {
      const current = loads.value;
      scene.look({
        loadOf: (link) => sumLoads(link.pairs.map((it) => current.links.get(it))),
        emphasisOf: (link: MapLink) => (near ? (near.links.has(link.id) ? 'lit' : 'dim') : 'normal'),
        moving: liveState.value.kind === 'live',
      });
    });
  }, [scene, graph, near]);
}

/** The panel that opens makes the stage smaller: what was chosen must not lie behind it. */
function useReveal(scene: Scene | null, chosen: string | null): void {
  useEffect(() => {
    if (!scene || !chosen) return;
    const later = setTimeout(() => scene.reveal(chosen), 60);
    return () => clearTimeout(later);
  }, [scene, chosen]);
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
  const last = useRef<MapNode[]>([]);
  const cards = useMemo(() => (last.current = keepSame(last.current, cardsOf(graph), (it) => it.id, sameNode)), [graph]);
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
      {load && !link.declared && link.from !== OUTSIDE_ID && <span class="dim">called, not declared</span>}
      <span class="faint">{plural(link.methods, 'method')}</span>
    </div>
  );
}
