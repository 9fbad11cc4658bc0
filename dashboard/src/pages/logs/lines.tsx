// The lines themselves: only those in view are in the document, whatever their heights. One has the focus; arrows move, Enter opens.
import { useMemo, useRef, useState } from 'preact/hooks';
import type { LogLine } from '@/api/types';
import type { Feed } from '@/telemetry/feed';
import { useHold } from '@/telemetry/hold';
import { wordsOf } from '@/telemetry/lines';
import { seen } from './heights';
import { Line } from './line';
import { actOn, reveal, stepOf, useOffsets, useOpen, useSteady, useView } from './look';
import { LINES_MAX } from './merge';
import type { LogFilters } from './query';

const OVERSCAN_ROWS = 10;

interface Props {
  feed: Feed<LogLine>;
  filters: LogFilters;
  wrap: boolean;
  onContext: (line: LogLine) => void;
}

export function Lines({ feed, filters, wrap, onContext }: Props) {
  const lines = feed.lines.value;
  const box = useRef<HTMLDivElement>(null);
  const hold = useHold(feed);
  const { view, measure } = useView(box, feed, hold);
  const { offsets, measured } = useOffsets(box, lines, wrap);
  const [open, turn] = useOpen();
  const [at, setAt] = useState('');
  const words = useMemo(() => wordsOf(filters.text), [filters.text]);
  const acts = useSteady({ focus: (line) => setAt(line.id), turn, context: onContext, height: measured });
  const here = Math.max(0, lines.findIndex((it) => it.id === at));

  const go = (to: number) => {
    const row = Math.max(0, Math.min(lines.length - 1, to));
    const [line, it] = [lines[row], box.current];
    if (!line || !it) return;
    setAt(line.id);
    reveal(it, offsets[row] as number);
    measure();
    requestAnimationFrame(() => it.querySelector<HTMLElement>(`[data-id="${CSS.escape(line.id)}"]`)?.focus({ preventScroll: true }));
  };
  const onKey = (event: KeyboardEvent) => {
    const line = lines[here];
    if (!(event.target as HTMLElement).hasAttribute('data-id') || !line || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = stepOf(event.key, offsets, view);
    if (step !== undefined) go(here + step);
    else if (!actOn(event.key, line, acts)) return;
    event.preventDefault();
  };
  const show = () => {
    box.current?.scrollTo({ top: 0 });
    hold.atTop(true);
    hold.left();
  };
  const [from, until] = seen(offsets, view.top, view.top + view.height, OVERSCAN_ROWS);
  const grid = { role: 'treegrid', 'aria-label': 'Log lines, newest first', 'aria-rowcount': lines.length } as const;
  return (
    <div class="lg-lines" onPointerMove={hold.touched} onPointerLeave={hold.left}>
      <Pill waiting={feed.held.value.length} onShow={show} />
      <div class={`lg-scroll ${wrap ? 'wraps' : ''}`} ref={box} {...grid} onScroll={measure} onKeyDown={onKey}>
        <div role="rowgroup" class="lg-all" style={{ height: `${offsets[lines.length]}px` }}>
          {lines.slice(from, until).map((line, offset) => (
            <Line
              key={line.id}
              line={line}
              row={from + offset}
              top={offsets[from + offset] as number}
              words={words}
              open={open.has(line.id)}
              focusable={from + offset === here}
              acts={acts}
            />
          ))}
        </div>
      </div>
      <End feed={feed} />
    </div>
  );
}

/** How many lines wait, above the list. */
function Pill({ waiting, onShow }: { waiting: number; onShow: () => void }) {
  if (waiting === 0) return null;
  return (
    <button class="tm-pill lg-new" type="button" onClick={onShow}>
      ↑ {waiting} new
    </button>
  );
}

function End({ feed }: { feed: Feed<LogLine> }) {
  if (feed.loadingOlder.value) return <p class="pager faint small" role="status">Loading older lines …</p>;
  if (feed.lines.value.length < LINES_MAX || feed.more.value) return null;
  return <p class="pager faint small">The list ends at {LINES_MAX} lines. A filter or a time range finds older ones.</p>;
}
