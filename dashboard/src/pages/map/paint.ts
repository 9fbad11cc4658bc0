// Paints calls on a canvas. Lines that look the same are one path and one stroke: three thousand calls are some thirty strokes.
// Width tells the rate, colour the share of errors (and errors also pulse as red dots), dashes “declared, never seen”.
import type { Load } from '@/api/types';
import { rate } from '@/ui/format';
import { colour } from '@/ui/theme';
import type { Camera, Size } from './camera';
import { pointAt, type Curve, type Rect } from './curve';
import { errorTone, type MapLink, type Tone } from './model';

export interface Line {
  link: MapLink;
  curve: Curve;
  load: Load | null;
}

/** `dim`: something else is chosen. `lit`: this belongs to what is chosen. */
export type Emphasis = 'normal' | 'dim' | 'lit';

interface Stroke {
  path: Path2D;
  heads: Path2D;
  token: string;
  width: number;
  alpha: number;
  dashed: boolean;
}

const WIDTHS = [1, 1.4, 1.9, 2.5, 3.3, 4.2];
const LABELS_MAX = 60;
const HEAD = 6;

/** 0 to 5: how strong a call is drawn; each step is a bit more than three times the rate. */
export function widthStep(perSecond: number): number {
  return perSecond <= 0 ? 0 : Math.max(1, Math.min(WIDTHS.length - 1, Math.ceil(Math.log10(1 + perSecond) * 2)));
}

const TOKENS: Record<Tone, string> = { ok: '--map-flow', warn: '--warn', bad: '--bad', idle: '--map-idle' };

/** Faint lines among many: what carries little steps back so that what carries much can be followed. */
function alphaOf(line: Line, emphasis: Emphasis, crowd: number): number {
  if (emphasis === 'dim') return 0.07;
  if (emphasis === 'lit') return 1;
  const step = widthStep(line.load?.per_second ?? 0);
  if (crowd < 120) return step === 0 ? 0.7 : 0.9;
  const strength = [0.1, 0.16, 0.3, 0.55, 0.8, 0.9][step] ?? 0.5;
  return errorTone(line.load) === 'bad' ? Math.max(0.6, strength) : strength;
}

export function strokesOf(lines: readonly Line[], emphasisOf: (link: MapLink) => Emphasis): Stroke[] {
  const found = new Map<string, Stroke>();
  for (const line of lines) {
    const emphasis = emphasisOf(line.link);
    const tone = errorTone(line.load);
    const step = widthStep(line.load?.per_second ?? 0);
    const dashed = line.load === null && line.link.declared;
    const token = emphasis === 'lit' && (tone === 'ok' || tone === 'idle') ? '--accent' : TOKENS[tone];
    const alpha = alphaOf(line, emphasis, lines.length);
    const key = `${alpha}|${token}|${step}|${dashed}`;
    const stroke = found.get(key) ?? { path: new Path2D(), heads: new Path2D(), token, width: WIDTHS[step] ?? 1, alpha, dashed };
    trace(stroke, line.curve, WIDTHS[step] ?? 1);
    found.set(key, stroke);
  }
  return [...found.values()].sort((a, b) => a.alpha - b.alpha || a.width - b.width);
}

function trace(stroke: Stroke, curve: Curve, width: number): void {
  const [x0, y0, x1, y1, x2, y2, x3, y3] = curve;
  stroke.path.moveTo(x0, y0);
  stroke.path.bezierCurveTo(x1, y1, x2, y2, x3, y3);
  const [bx, by] = pointAt(curve, 0.94);
  const angle = Math.atan2(y3 - by, x3 - bx);
  const size = HEAD + width;
  stroke.heads.moveTo(x3, y3);
  stroke.heads.lineTo(x3 - size * Math.cos(angle - 0.42), y3 - size * Math.sin(angle - 0.42));
  stroke.heads.lineTo(x3 - size * Math.cos(angle + 0.42), y3 - size * Math.sin(angle + 0.42));
  stroke.heads.closePath();
}

export function paint(canvas: CanvasRenderingContext2D, strokes: readonly Stroke[], camera: Camera, stage: Size, ratio: number): void {
  canvas.setTransform(1, 0, 0, 1, 0, 0);
  canvas.clearRect(0, 0, stage.width * ratio, stage.height * ratio);
  canvas.setTransform(camera.k * ratio, 0, 0, camera.k * ratio, camera.left * ratio, camera.top * ratio);
  canvas.lineCap = 'butt';
  for (const it of strokes) {
    canvas.globalAlpha = it.alpha;
    canvas.strokeStyle = colour(it.token);
    canvas.fillStyle = canvas.strokeStyle;
    canvas.lineWidth = Math.max(it.width, 0.8 / camera.k);
    canvas.setLineDash(it.dashed ? [5, 5] : []);
    canvas.stroke(it.path);
    if (camera.k > 0.3) canvas.fill(it.heads);
  }
  canvas.setLineDash([]);
  canvas.globalAlpha = 1;
}

const LABEL_AT = [0.5, 0.36, 0.64, 0.24, 0.76];
const LABEL_HEIGHT = 18;

/**
 * Writes the rate on each of `lines`, in stage pixels so that it stays readable; the busiest first, and none over another or over a
 * node: what finds no room along its line is not labelled.
 */
export function paintLabels(canvas: CanvasRenderingContext2D, lines: readonly Line[], boxes: Iterable<Rect>, camera: Camera, ratio: number): void {
  canvas.setTransform(ratio, 0, 0, ratio, 0, 0);
  canvas.font = `500 11px ${getComputedStyle(document.body).fontFamily}`;
  canvas.textAlign = 'center';
  canvas.textBaseline = 'middle';
  const taken: Room[] = [...boxes].map((it) => onStage(it, camera));
  const busiest = lines.filter((it) => it.load).sort((a, b) => (b.load?.per_second ?? 0) - (a.load?.per_second ?? 0));
  for (const { curve, load } of busiest.slice(0, LABELS_MAX)) {
    if (!load) continue;
    const text = rate(load.per_second);
    const room = freeRoom(curve, canvas.measureText(text).width + 12, camera, taken);
    if (!room) continue;
    taken.push(room);
    canvas.fillStyle = colour('--bg');
    canvas.beginPath();
    canvas.roundRect(room.left, room.top, room.width, LABEL_HEIGHT, LABEL_HEIGHT / 2);
    canvas.fill();
    canvas.fillStyle = colour(errorTone(load) === 'bad' ? '--bad' : '--dim');
    canvas.fillText(text, room.left + room.width / 2, room.top + LABEL_HEIGHT / 2 + 0.5);
  }
}

interface Room {
  left: number;
  top: number;
  width: number;
  height: number;
}

const onStage = (it: Rect, { k, left, top }: Camera): Room => ({
  left: (it.x - it.width / 2) * k + left,
  top: (it.y - it.height / 2) * k + top,
  width: it.width * k,
  height: it.height * k,
});

function freeRoom(curve: Curve, width: number, camera: Camera, taken: readonly Room[]): Room | null {
  for (const at of LABEL_AT) {
    const [x, y] = pointAt(curve, at);
    const room = { left: x * camera.k + camera.left - width / 2, top: y * camera.k + camera.top - LABEL_HEIGHT / 2, width, height: LABEL_HEIGHT };
    const over = (it: Room) => it.left < room.left + width && room.left < it.left + it.width && it.top < room.top + LABEL_HEIGHT && room.top < it.top + it.height;
    if (!taken.some(over)) return room;
  }
  return null;
}
