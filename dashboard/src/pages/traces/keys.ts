// The keys of the waterfall. Pure but for what it is given to do.
import { hasChildren } from './tree';
import { placeOf, moved, WHOLE, zoomed, zoomTo, type Scale } from './scale';
import type { Places } from './places';
import type { TraceView } from './view';

/** Does what a key means; false for a key that means nothing here. `page` is how many rows are seen. */
export function press(key: string, view: TraceView, places: Places, scale: Scale, page: number): boolean {
  const action = ACTIONS[key];
  if (action === undefined) return false;
  action(view, places, scale, page);
  return true;
}

type Action = (view: TraceView, places: Places, scale: Scale, page: number) => void;

const step =
  (by: (page: number, many: number) => number): Action =>
  (_view, places, _scale, page) => {
    const row = places.rows.indexOf(places.at);
    const to = Math.min(places.rows.length - 1, Math.max(0, row + by(page, places.rows.length)));
    const at = places.rows[to];
    if (at !== undefined) places.go(at);
  };

const inward: Action = (view, places) => {
  if (!hasChildren(view.shape, places.at)) return;
  const folded = places.folded.has(view.ops[places.at]?.op_id ?? '');
  if (folded) places.fold(places.at, false);
  else places.go(places.at + 1);
};

const outward: Action = (view, places) => {
  const folded = places.folded.has(view.ops[places.at]?.op_id ?? '');
  const above = view.shape.parent[places.at] ?? -1;
  if (hasChildren(view.shape, places.at) && !folded) places.fold(places.at, true);
  else if (above >= 0) places.go(above);
};

const nearer = (factor: number): Action => (_view, places) => places.setZoom(zoomed(places.zoom, factor, 0.5));
const aside = (part: number): Action => (_view, places) => places.setZoom(moved(places.zoom, part * (places.zoom.to - places.zoom.from)));
const next = (of: (view: TraceView, places: Places) => readonly number[], by: 1 | -1): Action => (view, places) => void places.next(of(view, places), by);

const ACTIONS: Record<string, Action> = {
  j: step(() => 1),
  ArrowDown: step(() => 1),
  k: step(() => -1),
  ArrowUp: step(() => -1),
  PageDown: step((page) => page),
  PageUp: step((page) => -page),
  Home: step((_page, many) => -many),
  End: step((_page, many) => many),
  l: inward,
  ArrowRight: inward,
  h: outward,
  ArrowLeft: outward,
  Enter: (_view, places) => places.show(places.at),
  ' ': (_view, places) => places.show(places.at),
  Escape: (_view, places) => places.close(),
  e: next((view) => view.failed, 1),
  E: next((view) => view.failed, -1),
  n: next((_view, places) => places.found, 1),
  N: next((_view, places) => places.found, -1),
  c: (_view, places) => places.setCriticalOnly(!places.criticalOnly),
  '+': nearer(0.6),
  '=': nearer(0.6),
  '-': nearer(1 / 0.6),
  '0': (_view, places) => places.setZoom(WHOLE),
  '[': aside(-0.25),
  ']': aside(0.25),
  f: (view, places, scale) => {
    const span = view.spans[places.at];
    if (span !== undefined) places.setZoom(zoomTo(placeOf(scale, span.from), placeOf(scale, span.to), 0.15));
  },
};
