// The waterfall: operations below each other as they belong together, their time to the right. Only rows in view are in the
// document, so that five thousand operations scroll like fifty. One element has the focus; the row it is at is told to screen readers.
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { IconButton, Input } from '@/ui';
import { Axis } from './axis';
import { press } from './keys';
import { Overview } from './overview';
import type { Places } from './places';
import { moved, placeOf, ticks, WHOLE, zoomed, type Scale } from './scale';
import { hasChildren } from './tree';
import { scaleFor, type TraceView } from './view';
import { Row, ROW } from './row';

const OVERSCAN_ROWS = 6;
/** Room for one time on the axis, and the part of the width that bars have. */
const TICK_PX = 90;
const BARS_PART = 0.6;
/** Fewer operations than this are seen at a glance. */
const OVERVIEW_MIN = 16;

interface Props {
  view: TraceView;
  places: Places;
  onHelp: () => void;
}

export function Waterfall({ view, places, onHelp }: Props) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ from: 0, many: 40, lines: 6 });
  const scale = useMemo(() => scaleFor(view, places.squeeze), [view, places.squeeze]);
  const hasGaps = useMemo(() => places.squeeze ? scale.gaps.length > 0 : scaleFor(view, true).gaps.length > 0, [view, scale]);
  const { rows } = places;

  const measure = () => {
    const it = box.current;
    if (!it) return;
    const first = Math.max(0, Math.floor(it.scrollTop / ROW) - OVERSCAN_ROWS);
    const lines = Math.max(2, Math.floor((it.clientWidth * BARS_PART) / TICK_PX));
    setSeen({ from: first - (first % 4), many: Math.ceil(it.clientHeight / ROW) + OVERSCAN_ROWS * 2 + 4, lines });
  };
  useLayoutEffect(measure, [rows.length]);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => reveal(box.current, rows.indexOf(places.at)), [places.at, rows]);
  // The keys work at once, without a click first.
  useEffect(() => box.current?.focus({ preventScroll: true }), []);
  useWheel(box, places);
  useFollow(view, places, scale);

  const rowActs = useRowActs(view, places, box);

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / ROW) - 2);
    if (event.key === '?') onHelp();
    else if (!press(event.key, view, places, scale, page)) return;
    event.preventDefault();
    if (event.key === 'Enter' || event.key === ' ') requestAnimationFrame(() => document.getElementById('tr-panel')?.focus());
  };
  const found = useMemo(() => new Set(places.found), [places.found]);
  const shown = rows.slice(seen.from, seen.from + seen.many);
  return (
    <div class="tr-waterfall">
      <Tools view={view} places={places} hasGaps={hasGaps} back={() => box.current?.focus()} />
      {view.ops.length >= OVERVIEW_MIN && <Overview view={view} scale={scale} places={places} />}
      <Axis scale={scale} places={places} many={seen.lines} />
      <div
        class={`tr-rows ${places.criticalOnly ? 'critical-only' : ''}`}
        ref={box}
        role="treegrid"
        aria-label="Operations"
        aria-rowcount={rows.length}
        aria-activedescendant={`${id}-${places.at}`}
        tabIndex={0}
        onScroll={measure}
        onKeyDown={onKey}
        onDblClick={() => places.setZoom(WHOLE)}
      >
        <div class="tr-rows-all" role="rowgroup" style={{ height: `${rows.length * ROW}px` }}>
          <GridLines scale={scale} places={places} many={seen.lines} />
          {shown.map((at, offset) => (
            <Row
              key={view.ops[at]?.op_id}
              id={`${id}-${at}`}
              view={view}
              scale={scale}
              zoom={places.zoom}
              at={at}
              row={seen.from + offset}
              here={at === places.at}
              open={at === places.openAt}
              folded={places.folded.has(view.ops[at]?.op_id ?? '')}
              found={found.has(at)}
              onOpen={rowActs.open}
              onFold={rowActs.fold}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

/** The lines of the axis through all rows, and silences as hatched strips. */
function GridLines({ scale, places, many }: { scale: Scale; places: Places; many: number }) {
  const { zoom } = places;
  const shown = (at: number) => ((at - zoom.from) / (zoom.to - zoom.from)) * 100;
  return (
    <div class="tr-grid" aria-hidden="true">
      {ticks(scale, zoom, many).ticks.map((it) => (
        <i key={it.afterMs} style={{ left: `${(it.at * 100).toFixed(3)}%` }} />
      ))}
      {scale.gaps.map((it) => (
        <i key={it.from} class="silence" style={{ left: `${shown(it.at)}%`, width: `${shown(it.until) - shown(it.at)}%` }} />
      ))}
    </div>
  );
}

/** Scrolls just as far as is needed to see a row. */
function reveal(box: HTMLElement | null, row: number): void {
  if (!box || row < 0) return;
  const top = row * ROW;
  if (top < box.scrollTop) box.scrollTop = Math.max(0, top - ROW * 2);
  else if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW * 3 - box.clientHeight;
}

/** What a press on a row does: the same functions all the time, acting on what is there now. */
function useRowActs(view: TraceView, places: Places, box: { current: HTMLDivElement | null }) {
  const latest = useRef({ view, places });
  latest.current = { view, places };
  return useMemo(
    () => ({
      open: (at: number) => {
        latest.current.places.show(at);
        box.current?.focus({ preventScroll: true });
      },
      fold: (at: number) => {
        const now = latest.current;
        if (hasChildren(now.view.shape, at)) now.places.fold(at, !now.places.folded.has(now.view.ops[at]?.op_id ?? ''));
      },
    }),
    [],
  );
}

/** Keeps the operation the keys are at inside of what is zoomed in. */
function useFollow(view: TraceView, places: Places, scale: Scale): void {
  useEffect(() => {
    const span = view.spans[places.at];
    if (span === undefined) return;
    const { from, to } = places.zoom;
    const [left, right] = [placeOf(scale, span.from), placeOf(scale, span.to)];
    if (right < from || left > to) places.setZoom(moved(places.zoom, (left + Math.min(right, left + to - from)) / 2 - (from + to) / 2));
  }, [places.at]);
}

/** Ctrl and the wheel zoom around the pointer; sideways moves. The listener must be able to keep the page from scrolling. */
function useWheel(box: { current: HTMLDivElement | null }, places: Places): void {
  const latest = useRef(places);
  latest.current = places;
  useEffect(() => {
    const it = box.current;
    if (!it) return;
    const wheel = (event: WheelEvent) => {
      const now = latest.current;
      const width = now.zoom.to - now.zoom.from;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const line = it.querySelector('.tr-bars')?.getBoundingClientRect();
        const around = line ? Math.min(1, Math.max(0, (event.clientX - line.left) / line.width)) : 0.5;
        now.setZoom(zoomed(now.zoom, 1.0015 ** event.deltaY, around));
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && width < 1) {
        event.preventDefault();
        now.setZoom(moved(now.zoom, (event.deltaX / Math.max(1, it.clientWidth)) * width));
      }
    };
    it.addEventListener('wheel', wheel, { passive: false });
    return () => it.removeEventListener('wheel', wheel);
  }, []);
}

function Tools({ view, places, hasGaps, back }: { view: TraceView; places: Places; hasGaps: boolean; back: () => void }) {
  const zoom = (factor: number) => places.setZoom(zoomed(places.zoom, factor, 0.5));
  const whole = places.zoom.to - places.zoom.from >= 1;
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Enter') places.next(places.found, event.shiftKey ? -1 : 1);
    if (event.key !== 'Escape') return;
    places.setText('');
    back();
  };
  const foldable = view.ops.some((it) => it.depth > 1);
  const open = places.folded.size === 0;
  return (
    <div class="tr-tools">
      <Input icon="search" type="search" aria-label="Search in this trace" placeholder="Search in this trace" data-slash="" value={places.text} onText={places.setText} onKeyDown={keys} />
      {places.text !== '' && (
        <span class="small dim" role="status">
          {places.found.length === 0 ? 'nothing found' : `${Math.max(0, places.found.indexOf(places.at)) + 1} of ${places.found.length}`}
        </span>
      )}
      <button class="chip" type="button" aria-pressed={places.criticalOnly} title="Key: c" onClick={() => places.setCriticalOnly(!places.criticalOnly)}>
        Critical path
      </button>
      {hasGaps && (
        <button
          class="chip"
          type="button"
          aria-pressed={places.squeeze}
          title="Draw long spans in which nothing ran shorter than they were"
          onClick={() => places.setSqueeze(!places.squeeze)}
        >
          Squeeze silences
        </button>
      )}
      <span class="grow" />
      {view.failed.length > 0 && (
        <>
          <IconButton icon="up" label="Previous failure (E)" onClick={() => places.next(view.failed, -1)} />
          <IconButton icon="down" label="Next failure (e)" onClick={() => places.next(view.failed, 1)} />
        </>
      )}
      {foldable && <IconButton icon="list" label={open ? 'Fold everything' : 'Unfold everything'} onClick={() => places.foldAll(open)} />}
      <IconButton icon="minus" label="Farther (−)" disabled={whole} onClick={() => zoom(1 / 0.6)} />
      <IconButton icon="plus" label="Nearer (+)" onClick={() => zoom(0.6)} />
      <IconButton icon="fit" label="The whole trace (0)" disabled={whole} onClick={() => places.setZoom(WHOLE)} />
    </div>
  );
}
