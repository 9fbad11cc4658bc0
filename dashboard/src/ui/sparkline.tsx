// A line without axes, as one SVG path. Gaps (null) stay gaps. Told in words to a screen reader.

interface Props {
  values: readonly (number | null)[];
  label: string;
  width?: number;
  height?: number;
  tone?: 'accent' | 'bad' | 'dim';
  /** Highest value of the scale; without it the highest of `values`. */
  max?: number;
  fill?: boolean;
}

export function Sparkline({ values, label, width = 96, height = 20, tone = 'accent', max, fill = true }: Props) {
  const drawn = runs(points(values, width, height, max));
  const area = fill ? fillOf(drawn, height) : '';
  return (
    <svg class={`spark ${tone}`} width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {area && <path class="spark-fill" d={area} />}
      <path class="spark-line" d={lineOf(drawn)} fill="none" />
    </svg>
  );
}

const PAD = 1.5;

function points(values: readonly (number | null)[], width: number, height: number, max?: number): ([number, number] | null)[] {
  const top = max ?? Math.max(0, ...values.map((it) => it ?? 0));
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const room = height - PAD * 2;
  return values.map((it, at) => (it === null ? null : [at * step, height - PAD - (top > 0 ? Math.min(1, it / top) * room : 0)]));
}

const xy = ([x, y]: [number, number]) => `${x.toFixed(1)} ${y.toFixed(1)}`;

/** Runs of neighbours without a gap. */
function runs(all: ([number, number] | null)[]): [number, number][][] {
  const found: [number, number][][] = [[]];
  for (const it of all) {
    if (it) found[found.length - 1]?.push(it);
    else found.push([]);
  }
  return found.filter((run) => run.length > 0);
}

type Runs = readonly (readonly [number, number][])[];

function lineOf(drawn: Runs): string {
  return drawn.map((run) => (run.length === 1 ? `M${xy(run[0]!)}h.01` : `M${run.map(xy).join('L')}`)).join('');
}

function fillOf(drawn: Runs, height: number): string {
  return drawn
    .filter((run) => run.length > 1)
    .map((run) => `M${run[0]![0].toFixed(1)} ${height}L${run.map(xy).join('L')}L${run[run.length - 1]![0].toFixed(1)} ${height}Z`)
    .join('');
}
