// Asks the worker where nodes stand, and remembers the places of each scene (grouped, focused on …), so that going back finds
// everything where it was. Invariant: `arranged` belongs to the newest graph that was asked for, never to one that was overtaken.
import { signal } from '@preact/signals';
import type { Spots } from './arrange';
import type { Answered, Asked } from './layout-worker';
import { distances, shapeOf } from './graph';
import type { Graph, MapLink } from './model';

const SCENES_MAX = 24;

export interface Arranged {
  /** Of which scene; places of another stay on show until those of the new one are known. */
  scene: string;
  spots: Spots;
}

export const arranged = signal<Arranged>({ scene: '', spots: {} });

const scenes = new Map<string, { shape: string; spots: Spots }>();
let worker: Worker | null = null;
let number = 0;
let asked: { scene: string; shape: string } | null = null;
let last = { scene: '', shape: '' };

function start(): Worker {
  const it = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module', name: 'layout' });
  it.addEventListener('message', (event: MessageEvent<Answered>) => {
    if (event.data.kind !== 'arranged' || event.data.number !== number || !asked) return;
    remember(asked.scene, asked.shape, event.data.spots);
    arranged.value = { scene: asked.scene, spots: event.data.spots };
  });
  it.addEventListener('error', (event) => reportError(event.error ?? new Error('The map could not be arranged')));
  return it;
}

/**
 * Arranges `graph` as the scene of that name; does nothing when its shape is the one on show. With a `centre` only calls
 * towards and away from it count, so that callers stand at its left and what it calls at its right.
 */
export function arrangeScene(scene: string, graph: Graph, aspect: number, centre: string | null): void {
  const shape = shapeOf(graph);
  if (last.scene === scene && last.shape === shape) return;
  last = { scene, shape };
  const known = scenes.get(scene);
  if (known?.shape === shape) {
    number += 1;
    arranged.value = { scene, spots: known.spots };
    return;
  }
  worker ??= start();
  asked = { scene, shape };
  const boxes = graph.nodes.map(({ id, width, height }) => ({ id, width, height }));
  const owner = ownerOf(graph);
  const steps = centre === null ? null : distances(graph.links, centre);
  const counts = (it: MapLink) => !steps || steps.get(it.from) !== steps.get(it.to);
  const arcs = graph.links.filter(counts).map((it) => ({ from: owner(it.from), to: owner(it.to) }));
  const ask: Asked = { kind: 'arrange', number: ++number, task: { boxes, arcs, before: known?.spots ?? {}, aspect } };
  worker.postMessage(ask);
}

/** Forgets where things stood in a scene: it is arranged anew. */
export function forgetScene(scene: string): void {
  scenes.delete(scene);
  last = { scene: '', shape: '' };
}

/** Ends of links may be members of an open group: the box that stands is the group. */
function ownerOf(graph: Graph): (id: string) => string {
  const owners = new Map<string, string>();
  for (const [group, members] of graph.inside) members.forEach((it) => owners.set(it, group));
  return (id) => owners.get(id) ?? id;
}

function remember(scene: string, shape: string, found: Spots): void {
  scenes.delete(scene);
  scenes.set(scene, { shape, spots: found });
  const oldest = scenes.keys().next().value;
  if (scenes.size > SCENES_MAX && oldest !== undefined) scenes.delete(oldest);
}
