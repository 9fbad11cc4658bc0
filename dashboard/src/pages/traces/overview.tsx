// All of a large trace at a glance: every operation a line of one pixel or less, what is zoomed in as a window on it. A drag zooms.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { colour, seriesToken, themeVersion } from '@/ui';
import { doer, hasFailed } from './model';
import type { Places } from './places';
import { placeOf, WHOLE, zoomTo, type Interval, type Scale } from './scale';
import type { TraceView } from './view';

const HEIGHT = 44;
const CLICK = 4;

export function Overview({ view, scale, places }: { view: TraceView; scale: Scale; places: Places }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const version = themeVersion.value;
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const frame = requestAnimationFrame(() => canvas.current && width > 0 && paint(canvas.current, view, scale, width));
    return () => cancelAnimationFrame(frame);
  }, [view, scale, width, version]);
  const at = (event: PointerEvent) => {
    const rect = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - rect.left) / rect.width));
  };
  const down = (event: PointerEvent) => {
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    setDrag({ from: at(event), to: at(event) });
  };
  const up = () => {
    if (drag && Math.abs(drag.to - drag.from) * width > CLICK) places.setZoom(zoomTo(drag.from, drag.to));
    setDrag(null);
  };
  const { zoom } = places;
  const marked = drag ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) } : zoom;
  return (
    <div class="tr-overview" aria-hidden="true">
      <div class="tr-name faint small">Overview</div>
      <div
        class="tr-bars"
        ref={box}
        style={{ height: `${HEIGHT}px` }}
        onPointerDown={down}
        onPointerMove={(event) => drag && setDrag({ from: drag.from, to: at(event) })}
        onPointerUp={up}
        onPointerCancel={() => setDrag(null)}
        onDblClick={() => places.setZoom(WHOLE)}
      >
        <canvas ref={canvas} />
        <span class="tr-veil" style={{ left: 0, width: `${marked.from * 100}%` }} />
        <span class="tr-veil" style={{ left: `${marked.to * 100}%`, right: 0 }} />
      </div>
    </div>
  );
}

function paint(canvas: HTMLCanvasElement, view: TraceView, scale: Scale, width: number): void {
  const dense = devicePixelRatio || 1;
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(HEIGHT * dense);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${HEIGHT}px`;
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.scale(dense, dense);
  const step = Math.min(3, (HEIGHT - 4) / view.ops.length);
  const thick = Math.max(1, step * 0.7);
  // Failed ones last, so that nothing hides them.
  for (const failed of [false, true]) {
    view.ops.forEach((op, at) => {
      if (hasFailed(op.status) !== failed) return;
      const span = view.spans[at] as Interval;
      const from = placeOf(scale, span.from) * width;
      pen.fillStyle = colour(failed ? '--bad' : seriesToken(doer(op)));
      pen.fillRect(from, 2 + at * step, Math.max(1, placeOf(scale, span.to) * width - from), failed ? Math.max(thick, 1.5) : thick);
    });
  }
}
