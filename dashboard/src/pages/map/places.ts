// From places of boxes to places of everything that is drawn: members of open groups stand inside of their box. Pure.
import type { Spots } from './arrange';
import type { Rect } from './curve';
import { innerPlaces } from './inner';
import { CARD_HEIGHT, CARD_WIDTH, type Graph } from './model';

/** What has no place yet (the worker is still at it) is left out. */
export function placesOf(graph: Graph, spots: Spots): Map<string, Rect> {
  const found = new Map<string, Rect>();
  for (const node of graph.nodes) {
    const spot = spots[node.id];
    if (!spot) continue;
    found.set(node.id, { x: spot.x, y: spot.y, width: node.width, height: node.height });
    const inside = graph.inside.get(node.id) ?? [];
    const steps = innerPlaces(inside.length);
    inside.forEach((id, at) => {
      const step = steps[at] ?? { x: 0, y: 0 };
      found.set(id, { x: spot.x + step.x, y: spot.y + step.y, width: CARD_WIDTH, height: CARD_HEIGHT });
    });
  }
  return found;
}

/** Everything that a choice has to do with: itself, its calls, and their other ends. Null when nothing is chosen. */
export function related(graph: Graph, chosen: string | null): { nodes: Set<string>; links: Set<string> } | null {
  if (!chosen) return null;
  const inside = graph.inside.get(chosen);
  const own = new Set(inside ?? [chosen]);
  const nodes = new Set([chosen, ...own]);
  const links = new Set<string>();
  for (const it of graph.links) {
    const mine = it.id === chosen || own.has(it.from) || own.has(it.to);
    if (!mine) continue;
    links.add(it.id);
    nodes.add(it.from);
    nodes.add(it.to);
  }
  for (const [group, members] of graph.inside) {
    if (members.some((it) => nodes.has(it))) nodes.add(group);
  }
  return { nodes, links };
}
