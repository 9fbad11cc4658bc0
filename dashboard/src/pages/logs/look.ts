// What is seen of the lines: how far the list is scrolled, how high lines are as they were measured, which are open, which one the
// keys are at.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LogLine } from '@/api/types';
import type { Feed } from '@/telemetry/feed';
import type { Hold } from '@/telemetry/hold';
import { keeperOf } from '@/route/kept';
import { place } from '@/route/router';
import { rowAt, tops } from './heights';
import { LINE, type Acts } from './line';

/** So near to the end, older lines are asked for. */
const NEAR_PX = 600;

type Box = { current: HTMLDivElement | null };

/** How far the list is scrolled, on the way back as far as it was; tells the feed when an end is near. */
export function useView(box: Box, feed: Feed<LogLine>, hold: Hold) {
  const keeper = useMemo(() => keeperOf<number>(`log ${place.peek().query}`), []);
  const [view, setView] = useState({ top: 0, height: 800 });
  const measure = () => {
    const it = box.current;
    if (!it) return;
    keeper.write(it.scrollTop);
    setView({ top: it.scrollTop, height: it.clientHeight });
    hold.atTop(it.scrollTop < LINE);
    if (it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_PX) void feed.older();
  };
  useLayoutEffect(() => {
    if (box.current) box.current.scrollTop = keeper.read() ?? 0;
    measure();
  }, []);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return { view, measure };
}

/** Where lines lie by the heights they were measured to have; a change of wrapping forgets those. */
export function useOffsets(box: Box, lines: readonly LogLine[], wrap: boolean) {
  const [version, setVersion] = useState(0);
  const frame = useRef(0);
  const known = useMemo(() => new Map<string, number>(), [wrap]);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  const offsets = useMemo(() => tops(lines.length, (row) => known.get(lines[row]?.id ?? '') ?? LINE), [lines, known, version]);
  const measured = (line: LogLine, height: number, top: number) => {
    const before = known.get(line.id) ?? LINE;
    if (Math.abs(before - height) < 0.5) return;
    known.set(line.id, height);
    // Taken in once a frame, however many lines came into view.
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => setVersion((it) => it + 1));
    // What is above what one reads must not push it away.
    if (box.current && top < box.current.scrollTop) box.current.scrollTop += height - before;
  };
  return { offsets, measured };
}

/** Which lines are open, by id. */
export function useOpen(): [ReadonlySet<string>, (line: LogLine, on?: boolean) => void] {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const turn = (line: LogLine, on?: boolean) => {
    const next = new Set(open);
    if (on ?? !next.has(line.id)) next.add(line.id);
    else next.delete(line.id);
    setOpen(next);
  };
  return [open, turn];
}

/** What lines do, as functions that stay the same: a line is drawn anew only when something of it changed. */
export function useSteady(acts: Acts): Acts {
  const latest = useRef(acts);
  latest.current = acts;
  return useMemo<Acts>(
    () => ({
      focus: (line) => latest.current.focus(line),
      turn: (line, on) => latest.current.turn(line, on),
      context: (line) => latest.current.context(line),
      height: (line, height, top) => latest.current.height(line, height, top),
    }),
    [],
  );
}

/** Scrolls just as far as is needed to see a row. */
export function reveal(box: HTMLElement, top: number): void {
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + LINE * 2 > box.scrollTop + box.clientHeight) box.scrollTop = top + LINE * 2 - box.clientHeight;
}

/** By how many rows a key moves; undefined for one that does not. */
export function stepOf(key: string, offsets: Float64Array, view: { top: number; height: number }): number | undefined {
  const page = Math.max(1, rowAt(offsets, view.top + view.height) - rowAt(offsets, view.top) - 1);
  const count = offsets.length - 1;
  return { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -count, End: count }[key];
}

/** Does what a key means for the line it is at; false for a key that means nothing here. */
export function actOn(key: string, line: LogLine, acts: Acts): boolean {
  switch (key) {
    case 'Enter':
    case ' ':
      acts.turn(line);
      return true;
    case 'ArrowRight':
      acts.turn(line, true);
      return true;
    case 'ArrowLeft':
    case 'Escape':
      acts.turn(line, false);
      return true;
    case 'c':
      acts.context(line);
      return true;
    default:
      return false;
  }
}
