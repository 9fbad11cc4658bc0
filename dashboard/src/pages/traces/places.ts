// Where one is in a trace: which operation the keys are at, which is open beside the waterfall (in the URL as `op`), what is folded,
// what is zoomed in, what is looked for.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { place, setQuery } from '@/route/router';
import { WHOLE, type Zoom } from './scale';
import { matching, nextOf, rowsOf, withAbove } from './tree';
import type { TraceView } from './view';

export interface Places {
  /** Index of the operation the keys are at. */
  at: number;
  /** Index of the one that is open; undefined for none. */
  openAt: number | undefined;
  /** Indexes of the operations that are not folded away. */
  rows: readonly number[];
  folded: ReadonlySet<string>;
  zoom: Zoom;
  squeeze: boolean;
  criticalOnly: boolean;
  text: string;
  found: readonly number[];
  /** Moves the keys there, unfolding what is above; what is open follows. */
  go(at: number): void;
  /** Moves there and opens it. */
  show(at: number): void;
  close(): void;
  fold(at: number, on: boolean): void;
  foldAll(on: boolean): void;
  setZoom(zoom: Zoom): void;
  setSqueeze(on: boolean): void;
  setCriticalOnly(on: boolean): void;
  setText(text: string): void;
  /** Goes to the next of some operations; false when there is none. */
  next(of: readonly number[], step: 1 | -1): boolean;
}

export function usePlaces(view: TraceView): Places {
  const wanted = place.value.query.get('op') ?? '';
  const [cursor, setCursor] = useState(wanted || (view.ops[view.failures[0] ?? 0]?.op_id ?? ''));
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [zoom, setZoom] = useState<Zoom>(WHOLE);
  const [squeeze, setSqueeze] = useState(true);
  const [criticalOnly, setCriticalOnly] = useState(false);
  const [text, setText] = useState('');
  const index = useMemo(() => new Map(view.ops.map((it, at) => [it.op_id, at])), [view.tree]);
  const rows = useMemo(() => rowsOf(view.ops, view.shape, folded), [view.tree, folded]);
  const found = useMemo(() => matching(view.ops, text), [view.tree, text]);
  const openAt = index.get(wanted);
  const at = index.get(cursor) ?? 0;
  // A link, or the back button, opens another one.
  useEffect(() => {
    if (openAt === undefined) return;
    setCursor(wanted);
    setFolded((before) => withAbove(view.ops, view.shape, before, openAt));
  }, [wanted]);

  const idOf = (it: number) => view.ops[it]?.op_id ?? '';
  const go = (to: number) => {
    setCursor(idOf(to));
    setFolded(withAbove(view.ops, view.shape, folded, to));
    if (openAt !== undefined) setQuery({ op: idOf(to) });
  };
  return {
    at, openAt, rows, folded, zoom, squeeze, criticalOnly, text, found, go, setZoom, setSqueeze, setCriticalOnly, setText,
    show: (to) => {
      setCursor(idOf(to));
      setFolded(withAbove(view.ops, view.shape, folded, to));
      setQuery({ op: idOf(to) });
    },
    close: () => setQuery({ op: null }),
    fold: (it, on) => {
      const next = new Set(folded);
      if (on) next.add(idOf(it));
      else next.delete(idOf(it));
      setFolded(next);
    },
    foldAll: (on) => {
      const parents = view.ops.flatMap((it, at2) => (it.depth > 0 && (view.shape.end[at2] as number) > at2 + 1 ? [it.op_id] : []));
      setFolded(new Set(on ? parents : []));
    },
    next: (of, step) => {
      const to = nextOf(of, at, step);
      if (to !== undefined) go(to);
      return to !== undefined;
    },
  };
}
