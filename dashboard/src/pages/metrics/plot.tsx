// Series of one metric as lines, with a legend that names, counts and toggles them.
import { useMemo, useState } from 'preact/hooks';
import type { MetricLine, MetricName, MetricShown } from '@/api/types';
import { setRange } from '@/telemetry/range-filter';
import { Button, Chart, Note, clock, moment, type ChartLine } from '@/ui';
import { align, drawn, formatOf, LINES_MAX, namesOf, statsOf } from './series';

const TOKENS = 12;

interface Props {
  page: MetricShown;
  kind: MetricName['kind'];
  unit: string;
  /** The highest value of each step instead of its average. */
  peak: boolean;
}

export function Plot({ page, kind, unit, peak }: Props) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<number | null>(null);
  const format = formatOf(kind, unit);
  const plotted = useMemo(() => {
    const withPoints = page.series.filter((it) => it.points.length > 0);
    const series = drawn(withPoints);
    const grid = align(series, page.step_ms, (point) => (peak ? point.max : point.value));
    return { series, grid, names: namesOf(series), left: withPoints.length - series.length };
  }, [page, peak]);
  const { series, grid, names } = plotted;
  const keys = series.map(keyOf);
  const lines: ChartLine[] = series.map((_, at) => ({
    label: names[at] ?? '',
    token: `--series-${at % TOKENS}`,
    dashed: at >= TOKENS,
    values: grid.values[at] ?? [],
    hidden: hidden.has(keys[at] ?? ''),
    fill: series.length === 1,
  }));
  const toggle = (key: string, alone: boolean) => {
    const others = keys.filter((it) => it !== key);
    const isAlone = others.every((it) => hidden.has(it)) && !hidden.has(key);
    const next = new Set(alone ? (isAlone ? [] : others) : hidden);
    if (!alone && !next.delete(key)) next.add(key);
    setHidden(next);
  };
  return (
    <>
      <Chart
        label={`${series[0]?.name ?? 'metric'} over time`}
        timesUnixMs={grid.timesUnixMs}
        lines={lines}
        height={300}
        binary={unit === 'By'}
        format={(it) => format(it)}
        onCursor={setCursor}
        onRange={(since, until) => setRange({ since, until })}
      />
      {plotted.left > 0 && <Note>The {LINES_MAX} series with the highest values are drawn; {plotted.left} are not. Choose a service or a label.</Note>}
      <Legend lines={lines} keys={keys} series={series} format={format} cursor={cursor} times={grid.timesUnixMs} onToggle={toggle} />
      {hidden.size > 0 && (
        <p class="mt-pad">
          <Button look="quiet" onClick={() => setHidden(new Set())}>
            Show all series
          </Button>
        </p>
      )}
    </>
  );
}

const keyOf = (it: MetricLine) => JSON.stringify([it.service, it.instance_id, it.labels]);

interface LegendProps {
  lines: readonly ChartLine[];
  keys: readonly string[];
  series: readonly MetricLine[];
  format: (value: number | null) => string;
  cursor: number | null;
  times: readonly number[];
  onToggle: (key: string, alone: boolean) => void;
}

function Legend({ lines, keys, series, format, cursor, times, onToggle }: LegendProps) {
  const at = cursor === null ? undefined : times[cursor];
  return (
    <div class="mt-scroll">
      <table class="mt-legend">
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col" class="num mt-at" title={at === undefined ? '' : moment(at)}>
              {at === undefined ? 'last' : clock(at)}
            </th>
            <th scope="col" class="num">mean</th>
            <th scope="col" class="num">min</th>
            <th scope="col" class="num">max</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, index) => {
            const stats = statsOf(line.values);
            const key = keys[index] ?? '';
            return (
              <tr key={key} class={line.hidden ? 'off' : ''}>
                <th scope="row">
                  <button
                    type="button"
                    class="mt-key"
                    aria-pressed={!line.hidden}
                    title={`${describe(series[index])}\nClick: hide or show. Shift and click: only this one.`}
                    onClick={(event) => onToggle(key, event.shiftKey)}
                  >
                    <span class={`mt-swatch ${line.dashed ? 'dashed' : ''}`} style={{ '--mt-colour': `var(${line.token})` }} aria-hidden="true" />
                    <span class="cut">{line.label}</span>
                  </button>
                </th>
                <td class="num mt-at">{format(cursor === null ? stats.last : (line.values[cursor] ?? null))}</td>
                <td class="num dim">{format(stats.mean)}</td>
                <td class="num dim">{format(stats.min)}</td>
                <td class="num dim">{format(stats.max)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function describe(it: MetricLine | undefined): string {
  if (!it) return '';
  const labels = Object.entries(it.labels).map(([key, value]) => `${key} = ${value}`);
  return [`service = ${it.service}`, `instance = ${it.instance_id}`, ...labels].join('\n');
}
