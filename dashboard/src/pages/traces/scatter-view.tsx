// The scatter above the list: one point per trace, when it began and how long it took. A brush selects a span of time, or a frame
// of times and durations; a click opens. Painted on a canvas, at most once a frame.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { TraceLine } from '@/api/types';
import { navigate } from '@/route/router';
import { clock, duration, percent, plural, themeVersion } from '@/ui';
import { brushed, nearest, planeOf, quantile, sample, xOf, yOf, type Plane } from './scatter';
import { paint, PAD } from './scatter-paint';
import { nameOf } from '@/telemetry/subject';
import { hasFailed } from './model';

const HEIGHT = 148;
/** Pixels within which a point is meant, and below which a press is a click. */
const REACH = 10;
const CLICK = 4;

interface Props {
  lines: readonly TraceLine[];
  /** Ends of the time axis, where the range gives them. */
  fromMs?: number;
  toMs?: number;
  onBrush: (range: ReturnType<typeof brushed>) => void;
}

interface Point {
  x: number;
  y: number;
}

export function Scatter({ lines, fromMs, toMs, onBrush }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [hovered, setHovered] = useState<TraceLine | undefined>();
  const [drag, setDrag] = useState<{ from: Point; to: Point } | null>(null);
  const points = useMemo(() => sample(lines), [lines]);
  const fixed = { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
  const inner = { width: Math.max(1, width - PAD.left - PAD.right), height: HEIGHT - PAD.top - PAD.bottom };
  const plane = useMemo(() => planeOf(points, inner, fixed), [points, width, fromMs, toMs]);

  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const version = themeVersion.value;
  useEffect(() => {
    const frame = requestAnimationFrame(() => canvas.current && width > 0 && paint(canvas.current, points, plane, { width, height: HEIGHT }, hovered?.trace_id));
    return () => cancelAnimationFrame(frame);
  }, [points, plane, width, version, hovered]);

  const at = (event: PointerEvent): Point => {
    const rect = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return { x: clamp(event.clientX - rect.left - PAD.left, inner.width), y: clamp(event.clientY - rect.top - PAD.top, inner.height) };
  };
  const move = (event: PointerEvent) => {
    const to = at(event);
    if (drag) setDrag({ from: drag.from, to });
    else setHovered(nearest(points, plane, to.x, to.y, REACH));
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    setDrag({ from: at(event), to: at(event) });
  };
  const up = () => {
    if (!drag) return;
    setDrag(null);
    if (Math.hypot(drag.to.x - drag.from.x, drag.to.y - drag.from.y) > CLICK) onBrush(brushed(plane, drag.from, drag.to));
    else if (hovered) navigate(`/traces/${hovered.trace_id}`);
  };
  return (
    <div class="tr-scatter">
      <Legend lines={lines} sampled={points.length} />
      <div
        class={`tr-plane ${hovered ? 'points' : ''}`}
        ref={box}
        onPointerMove={move}
        onPointerDown={down}
        onPointerUp={up}
        onPointerCancel={() => setDrag(null)}
        onPointerLeave={() => setHovered(undefined)}
      >
        <canvas ref={canvas} role="img" aria-label={`Durations of ${plural(points.length, 'trace')} over time; the same traces are in the list below`} />
        {drag && <Brush from={drag.from} to={drag.to} plane={plane} />}
        {hovered && !drag && <Tip line={hovered} plane={plane} />}
      </div>
    </div>
  );
}

const clamp = (value: number, most: number) => Math.min(most, Math.max(0, value));

/** What the points say in numbers, with the shapes that the points have. */
function Legend({ lines, sampled }: { lines: readonly TraceLine[]; sampled: number }) {
  const sorted = useMemo(() => Float64Array.from(lines.filter((it) => !it.running), (it) => it.duration_ms).sort(), [lines]);
  const failed = lines.filter((it) => hasFailed(it.status)).length;
  const running = lines.filter((it) => it.running).length;
  return (
    <div class="tr-legend small">
      <span class="dim">
        <i class="tr-mark ok" /> {lines.length - failed - running} ok
      </span>
      <span class={failed > 0 ? 'bad' : 'dim'}>
        <i class="tr-mark bad" /> {failed} failed {failed > 0 && `(${percent(failed, lines.length)})`}
      </span>
      {running > 0 && (
        <span class="dim">
          <i class="tr-mark busy" /> {running} running
        </span>
      )}
      <span class="grow" />
      <span class="faint">
        p50 {duration(quantile(sorted, 0.5))} · p95 {duration(quantile(sorted, 0.95))} · max {duration(sorted.at(-1))}
        {sampled < lines.length && ` · ${sampled} points of ${lines.length}`}
      </span>
    </div>
  );
}

function Brush({ from, to, plane }: { from: Point; to: Point; plane: Plane }) {
  const range = brushed(plane, from, to);
  const frame = range.minMs !== undefined;
  const [top, height] = frame ? [Math.min(from.y, to.y), Math.abs(from.y - to.y)] : [0, plane.height];
  const style = { left: `${PAD.left + Math.min(from.x, to.x)}px`, width: `${Math.abs(from.x - to.x)}px`, top: `${PAD.top + top}px`, height: `${height}px` };
  return <div class="tr-brush" style={style} />;
}

function Tip({ line, plane }: { line: TraceLine; plane: Plane }) {
  const x = xOf(plane, line.started_at_unix_ms);
  const left = x > plane.width / 2;
  const top = PAD.top + clamp(yOf(plane, line.duration_ms) - 20, plane.height - 44);
  const side = left ? { right: `${plane.width + PAD.right - x + 12}px` } : { left: `${PAD.left + x + 12}px` };
  const style = { top: `${top}px`, ...side };
  return (
    <div class="tr-tip small" style={style}>
      <div class="cut">
        <b>{duration(line.duration_ms)}</b> {nameOf(line.subject)}
      </div>
      <div class="faint cut">
        {clock(line.started_at_unix_ms, true)} · {line.service} · {line.status.toLowerCase()}
      </div>
    </div>
  );
}
