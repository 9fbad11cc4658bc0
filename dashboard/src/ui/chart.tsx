// Lines over time with uPlot: axes in the theme's colours, gaps as gaps, a crosshair that charts with one `sync` name share, a
// brush that selects a range. Follows its box and the theme.
import { useEffect, useRef } from 'preact/hooks';
import { effect } from '@preact/signals';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock, day } from './format';
import { colour, themeVersion } from './theme';

export interface ChartLine {
  label: string;
  /** Name of a colour: `--accent`, `--series-3`. */
  token: string;
  /** One per time; null is a gap. */
  values: readonly (number | null)[];
  dashed?: boolean;
  /** Fills below the line. */
  fill?: boolean;
  hidden?: boolean;
}

interface Props {
  /** Read aloud. */
  label: string;
  timesUnixMs: readonly number[];
  lines: readonly ChartLine[];
  height?: number;
  /** How a value is written on the axis and in the legend. */
  format: (value: number) => string;
  /** Charts with the same name move their crosshair together. */
  sync?: string;
  /** A range was brushed, unix milliseconds. Without it a brush zooms. */
  onRange?: (fromUnixMs: number, untilUnixMs: number) => void;
  /** The crosshair is at this index (null: outside). */
  onCursor?: (index: number | null) => void;
  /** The value axis starts at 0 (default) or at the lowest value. */
  fromZero?: boolean;
  legend?: boolean;
  logarithmic?: boolean;
  /** Marks the value axis at powers of two: bytes. */
  binary?: boolean;
}

/** Charts that are about to be made: one in each frame, because a page of them would be one long task. */
const queue: (() => void)[] = [];

/** @returns a function that takes it back. */
function inItsFrame(make: () => void): () => void {
  queue.push(make);
  if (queue.length === 1) requestAnimationFrame(makeNext);
  return () => {
    const at = queue.indexOf(make);
    if (at >= 0) queue.splice(at, 1);
  };
}

function makeNext(): void {
  queue.shift()?.();
  if (queue.length > 0) requestAnimationFrame(makeNext);
}

export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const plot = useRef<uPlot | null>(null);
  const shape = props.lines.map((it) => `${it.label}\u0000${it.token}\u0000${it.dashed}\u0000${it.fill}`).join('\u0001');

  useEffect(() => {
    const make = () => {
      plot.current?.destroy();
      const node = box.current;
      if (node) plot.current = new uPlot(options(latest, node.clientWidth), data(latest.current), node);
    };
    let forget = () => {};
    const stop = effect(() => {
      void themeVersion.value;
      forget();
      forget = inItsFrame(make);
    });
    const observer = new ResizeObserver(([entry]) => {
      if (entry && plot.current) plot.current.setSize({ width: Math.max(40, entry.contentRect.width), height: latest.current.height ?? 160 });
    });
    if (box.current) observer.observe(box.current);
    return () => {
      stop();
      forget();
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, props.height, props.sync, props.legend, props.logarithmic]);

  useEffect(() => {
    const it = plot.current;
    if (!it) return;
    it.setData(data(props));
    props.lines.forEach((line, at) => {
      const show = !line.hidden;
      if (it.series[at + 1]?.show !== show) it.setSeries(at + 1, { show });
    });
  }, [props.timesUnixMs, props.lines]);

  return <div class="chart" ref={box} role="img" aria-label={props.label} style={{ minHeight: `${props.height ?? 160}px` }} />;
}

function data(props: Props): uPlot.AlignedData {
  const times = props.timesUnixMs.map((it) => it / 1000);
  return [times, ...props.lines.map((it) => it.values as (number | null)[])] as uPlot.AlignedData;
}

function options(latest: { current: Props }, width: number): uPlot.Options {
  const props = latest.current;
  const axis = { stroke: colour('--faint'), font: `11px ${getComputedStyle(document.body).fontFamily}`, grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  const format = (value: number | null) => (value === null || value === undefined ? '–' : latest.current.format(value));
  return {
    width: Math.max(40, width),
    height: props.height ?? 160,
    padding: [8, 8, 0, 0],
    legend: { show: props.legend ?? false, live: true },
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: true, y: false, setScale: !props.onRange },
      ...(props.sync ? { sync: { key: props.sync } } : {}),
    },
    scales: {
      // One moment alone has no width: half a minute on either side, so that a brush means something.
      x: { time: true, range: (plot, low, high) => (plot.data[0].length === 1 ? [low - 30, low + 30] : [low, high]) },
      y: { distr: props.logarithmic ? 3 : 1, range: props.logarithmic ? undefined! : (_plot, low, high) => [props.fromZero === false ? low : 0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      { ...axis, space: 52, size: 24, values: (_plot, splits, _axis, _space, stepS) => splits.map((it) => timeWords(it * 1000, stepS)) },
      { ...axis, space: 28, size: 60, ...(props.binary ? { incrs: POWERS_OF_TWO } : {}), values: (_plot, splits) => splits.map((it) => format(it)) },
    ],
    series: [{ value: (_plot, at) => (at ? new Date(at * 1000).toLocaleTimeString() : '–') }, ...props.lines.map((it) => line(it, format))],
    hooks: {
      setCursor: [(plot) => latest.current.onCursor?.(plot.cursor.idx ?? null)],
      setSelect: [(plot) => brushed(plot, latest.current)],
    },
  };
}

const POWERS_OF_TWO = Array.from({ length: 51 }, (_, at) => 2 ** at);

/** One row of words: days, minutes, or between two minutes the seconds alone. */
function timeWords(unixMs: number, stepS: number): string {
  if (stepS >= 86_400) return day(unixMs).slice(5);
  const words = clock(unixMs, stepS < 1);
  return words.slice(6, 8) === '00' && stepS >= 1 ? words.slice(0, 5) : words.slice(5);
}

/** Where a value has no neighbour. */
function lonely(values: ArrayLike<number | null | undefined>): number[] | null {
  const found: number[] = [];
  const none = (at: number) => values[at] === null || values[at] === undefined;
  for (let at = 0; at < values.length; at++) if (!none(at) && none(at - 1) && none(at + 1)) found.push(at);
  return found.length > 0 ? found : null;
}

function line(it: ChartLine, format: (value: number | null) => string): uPlot.Series {
  const stroke = colour(it.token);
  return {
    label: it.label,
    stroke,
    width: 1.5,
    show: !it.hidden,
    spanGaps: false,
    // A point between two gaps would be no line at all.
    points: { show: false, size: 4, filter: (plot, index) => lonely(plot.data[index] ?? []) },
    ...(it.dashed ? { dash: [4, 4] } : {}),
    ...(it.fill ? { fill: stroke.replace('rgb(', 'rgba(').replace(')', ', 0.12)') } : {}),
    value: (_plot, value) => format(value),
  };
}

function brushed(plot: uPlot, props: Props): void {
  const { left, width } = plot.select;
  if (!props.onRange || width < 4) return;
  props.onRange(Math.round(plot.posToVal(left, 'x') * 1000), Math.round(plot.posToVal(left + width, 'x') * 1000));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}
