// Dots that move along the calls: more of them where there is more traffic, red ones for the share that fails. At most 240 dots,
// drawn at most thirty times a second, none while the tab is hidden, nothing arrives, or less motion is preferred.
import { colour } from '@/ui/theme';
import type { Camera, Size } from './camera';
import { lengthOf, pointAt, type Curve } from './curve';
import type { Line } from './looks';

const DOTS_MAX = 240;
const LINES_MAX = 90;
const SPEED_PX_PER_S = 74;
const FRAME_MS_MIN = 33;
const FRAME_MS_MAX = 250;
/** Of the time, dots get at most one part in so many: a busy machine sees fewer frames, not a slower page. */
const LATENESS_SHARE = 6;

interface Dot {
  curve: Curve;
  /** Share of the curve per millisecond. */
  speed: number;
  phase: number;
  failed: boolean;
}

/** Which dots a set of lines gets; the busiest first. */
export function dotsOf(lines: readonly Line[]): Dot[] {
  const busy = lines.filter((it) => it.load && it.load.per_second > 0);
  busy.sort((a, b) => (b.load?.per_second ?? 0) - (a.load?.per_second ?? 0));
  const dots: Dot[] = [];
  for (const { curve, load } of busy.slice(0, LINES_MAX)) {
    if (!load) continue;
    const length = Math.max(60, lengthOf(curve));
    const many = Math.max(1, Math.min(5, Math.round(Math.log10(1 + load.per_second) * 2)));
    const failed = load.errors === 0 ? 0 : Math.max(1, Math.round((many * load.errors) / load.count));
    for (let at = 0; at < many && dots.length < DOTS_MAX; at++) {
      dots.push({ curve, speed: SPEED_PX_PER_S / length / 1000, phase: at / many + (length % 97) / 97, failed: at < failed });
    }
  }
  return dots;
}

export class Flow {
  private dots: Dot[] = [];
  private frameMs = FRAME_MS_MIN;
  private askedAt = 0;
  private frameAsked = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private readonly canvas: CanvasRenderingContext2D;
  private readonly view: () => { camera: Camera; stage: Size; ratio: number };

  constructor(canvas: CanvasRenderingContext2D, view: () => { camera: Camera; stage: Size; ratio: number }) {
    this.canvas = canvas;
    this.view = view;
  }

  show(dots: Dot[]): void {
    this.dots = dots;
    if (dots.length === 0) this.stop();
    else if (!this.running) this.next();
  }

  stop(): void {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frameAsked);
    this.running = false;
    this.clear();
  }

  /** What is drawn belongs to an older camera: off with it until the next frame. */
  clear(): void {
    const { stage, ratio } = this.view();
    this.canvas.setTransform(1, 0, 0, 1, 0, 0);
    this.canvas.clearRect(0, 0, stage.width * ratio, stage.height * ratio);
  }

  /** A timer in between, so that the browser makes no frames that nothing changes. */
  private next(): void {
    this.running = true;
    this.timer = setTimeout(() => {
      this.askedAt = performance.now();
      this.frameAsked = requestAnimationFrame(this.frame);
    }, this.frameMs);
  }

  private readonly frame = (now: number): void => {
    this.draw(now);
    const late = performance.now() - this.askedAt;
    this.frameMs = Math.max(FRAME_MS_MIN, Math.min(FRAME_MS_MAX, this.frameMs * 0.8 + late * LATENESS_SHARE * 0.2));
    this.next();
  };

  private draw(now: number): void {
    this.clear();
    const { camera, ratio } = this.view();
    this.canvas.setTransform(camera.k * ratio, 0, 0, camera.k * ratio, camera.left * ratio, camera.top * ratio);
    const radius = Math.max(2, 1.6 / camera.k);
    for (const failed of [false, true]) {
      this.canvas.fillStyle = colour(failed ? '--bad' : '--map-dot');
      this.canvas.beginPath();
      for (const it of this.dots) {
        if (it.failed !== failed) continue;
        const [x, y] = pointAt(it.curve, (it.phase + now * it.speed) % 1);
        this.canvas.moveTo(x + radius, y);
        this.canvas.arc(x, y, failed ? radius * 1.25 : radius, 0, 7);
      }
      this.canvas.fill();
    }
  }
}
