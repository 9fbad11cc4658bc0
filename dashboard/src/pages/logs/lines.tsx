// The lines themselves: only those in view are in the document, whatever their heights. One has the focus; arrows move, Enter opens.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LogLine } from '@/api/types';
import type { Feed } from '@/telemetry/feed';
import { wordsOf } from '@/telemetry/lines';
import { rowAt, seen, tops } from './heights';
import { Line, LINE } from './line';
import { LINES_MAX } from './merge';
import type { LogFilters } from './query';

const OVERSCAN_ROWS = 10;
/** So near to the end, older lines are asked for. */
const NEAR_PX = 600;
/** Somebody who moved the pointer over the lines so recently is about to click, or to copy. */
const STILL_MS = 2_000;

interface Props {
  feed: Feed<LogLine>;
  filters: LogFilters;
  wrap: boolean;
  onContext: (line: LogLine) => void;
}

export function Lines({ feed, filters, wrap, onContext }: Props) {
  const lines = feed.lines.value;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [at, setAt] = useState('');
  const heights = useHeights(wrap);
  const words = useMemo(() => wordsOf(filters.text), [filters.text]);
  const offsets = useMemo(() => tops(lines.length, (row) => heights.of(lines[row]?.id ?? '')), [lines, heights.version]);
  const hold = useHold(feed);

  const measure = () => {
    const it = box.current;
    if (!it) return;
    setView({ top: it.scrollTop, height: it.clientHeight });
    hold.atTop(it.scrollTop < LINE);
    if (it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_PX) void feed.older();
  };
  useLayoutEffect(measure, [lines.length === 0]);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  const turn = (id: string, on?: boolean) => {
    const next = new Set(open);
    if (on ?? !next.has(id)) next.add(id);
    else next.delete(id);
    setOpen(next);
  };
  const focusAt = Math.max(0, lines.findIndex((it) => it.id === at));
  const go = (row: number) => {
    const line = lines[Math.max(0, Math.min(lines.length - 1, row))];
    const it = box.current;
    if (!line || !it) return;
    setAt(line.id);
    const top = offsets[Math.max(0, Math.min(lines.length - 1, row))] as number;
    if (top < it.scrollTop) it.scrollTop = top;
    else if (top + LINE * 2 > it.scrollTop + it.clientHeight) it.scrollTop = top + LINE * 2 - it.clientHeight;
    measure();
    requestAnimationFrame(() => it.querySelector<HTMLElement>(`[data-id="${CSS.escape(line.id)}"]`)?.focus({ preventScroll: true }));
  };
  const onKey = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const line = lines[focusAt];
    if (!target.hasAttribute('data-id') || !line || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = rowAt(offsets, view.top + view.height) - rowAt(offsets, view.top) - 1;
    const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -lines.length, End: lines.length };
    const step = steps[event.key];
    if (step !== undefined) go(focusAt + step);
    else if (event.key === 'Enter' || event.key === ' ') turn(line.id);
    else if (event.key === 'ArrowRight') turn(line.id, true);
    else if (event.key === 'ArrowLeft' || event.key === 'Escape') turn(line.id, false);
    else if (event.key === 'c') onContext(line);
    else return;
    event.preventDefault();
  };
  const [from, until] = seen(offsets, view.top, view.top + view.height, OVERSCAN_ROWS);
  const waiting = feed.held.value.length;
  const show = () => {
    box.current?.scrollTo({ top: 0 });
    feed.hold(false);
  };
  const resized = (id: string, height: number, top: number) => {
    const grown = heights.told(id, height);
    // What is above what one reads must not push it away.
    if (grown !== 0 && box.current && top < box.current.scrollTop) box.current.scrollTop += grown;
  };
  return (
    <div class="lg-lines" onPointerMove={hold.touched} onPointerLeave={hold.left}>
      {waiting > 0 && (
        <button class="tm-pill lg-new" type="button" onClick={show}>
          ↑ {waiting} new
        </button>
      )}
      <div class={`lg-scroll ${wrap ? 'wraps' : ''}`} ref={box} role="treegrid" aria-label="Log lines, newest first" aria-rowcount={lines.length} onScroll={measure} onKeyDown={onKey}>
        <div role="rowgroup" class="lg-all" style={{ height: `${offsets[lines.length]}px` }}>
          {lines.slice(from, until).map((line, offset) => {
            const row = from + offset;
            return (
              <Line
                key={line.id}
                line={line}
                row={row}
                top={offsets[row] as number}
                words={words}
                open={open.has(line.id)}
                focusable={row === focusAt}
                onFocus={() => setAt(line.id)}
                onTurn={() => turn(line.id)}
                onContext={() => onContext(line)}
                onHeight={resized}
              />
            );
          })}
        </div>
      </div>
      {lines.length >= LINES_MAX && !feed.more.value && <p class="pager faint small">The list ends at {LINES_MAX} lines. A filter or a time range finds older ones.</p>}
    </div>
  );
}

/** Heights as they were measured; a change of wrapping forgets them. */
function useHeights(wrap: boolean) {
  const [version, setVersion] = useState(0);
  const known = useMemo(() => new Map<string, number>(), [wrap]);
  return {
    version: `${version}/${wrap}`,
    of: (id: string) => known.get(id) ?? LINE,
    /** By how much it grew. */
    told: (id: string, height: number) => {
      const before = known.get(id) ?? LINE;
      if (Math.abs(before - height) < 0.5) return 0;
      known.set(id, height);
      setVersion((it) => it + 1);
      return height - before;
    },
  };
}

/** The list stands still while it is scrolled, or somebody is about to do something with a line. */
function useHold(feed: Feed<LogLine>) {
  const state = useRef({ top: true, timer: undefined as ReturnType<typeof setTimeout> | undefined });
  useEffect(() => () => clearTimeout(state.current.timer), []);
  const settle = () => feed.hold(!state.current.top || state.current.timer !== undefined);
  const still = () => {
    state.current.timer = undefined;
    settle();
  };
  return {
    atTop: (top: boolean) => {
      state.current.top = top;
      settle();
    },
    touched: () => {
      clearTimeout(state.current.timer);
      state.current.timer = setTimeout(still, STILL_MS);
      settle();
    },
    left: () => {
      clearTimeout(state.current.timer);
      still();
    },
  };
}
