// The axis above the waterfall: round times since the beginning, squeezed silences with their length. A drag zooms to what it covers.
import { useState } from 'preact/hooks';
import { duration } from '@/ui';
import type { Places } from './places';
import { axisWord, ticks, WHOLE, zoomTo, type Scale } from './scale';

/** A drag over less of the axis was none. */
const CLICK_PART = 0.006;
/** A time so near before a silence gives way to the length of that. */
const NEAR_PART = 0.07;

/** `many`: how many times fit. */
export function Axis({ scale, places, many }: { scale: Scale; places: Places; many: number }) {
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const { zoom } = places;
  const shown = (place: number) => (place - zoom.from) / (zoom.to - zoom.from);
  const { ticks: lines, stepMs } = ticks(scale, zoom, many);
  const givesWay = (place: number) => scale.gaps.some((it) => place <= shown(it.at) && place > shown(it.at) - NEAR_PART);
  const at = (event: PointerEvent) => {
    const rect = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - rect.left) / rect.width));
  };
  const up = () => {
    if (drag && Math.abs(drag.to - drag.from) > CLICK_PART) places.setZoom(zoomTo(zoom.from + drag.from * (zoom.to - zoom.from), zoom.from + drag.to * (zoom.to - zoom.from)));
    setDrag(null);
  };
  const down = (event: PointerEvent) => {
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    setDrag({ from: at(event), to: at(event) });
  };
  return (
    <div class="tr-axis small" aria-hidden="true">
      <div class="tr-name faint">Operation</div>
      <div
        class="tr-bars"
        onPointerDown={down}
        onPointerMove={(event) => drag && setDrag({ from: drag.from, to: at(event) })}
        onPointerUp={up}
        onPointerCancel={() => setDrag(null)}
        onDblClick={() => places.setZoom(WHOLE)}
      >
        {lines.map((it) => (
          <span key={it.afterMs} class={`tr-tick ${it.at > 0.94 ? 'end' : ''}`} style={{ left: `${(it.at * 100).toFixed(3)}%` }}>
            {!givesWay(it.at) && axisWord(it.afterMs, stepMs)}
          </span>
        ))}
        {scale.gaps.map((it) => {
          const [left, right] = [shown(it.at), shown(it.until)];
          return right > 0 && left < 1 && (
            <span key={it.from} class="tr-gap" title={`Nothing ran for ${duration(it.to - it.from)}`} style={{ left: `${left * 100}%`, width: `${(right - left) * 100}%` }}>
              {duration(it.to - it.from)}
            </span>
          );
        })}
        {drag && <span class="tr-brush" style={{ left: `${Math.min(drag.from, drag.to) * 100}%`, width: `${Math.abs(drag.to - drag.from) * 100}%`, top: 0, height: '100%' }} />}
      </div>
    </div>
  );
}
