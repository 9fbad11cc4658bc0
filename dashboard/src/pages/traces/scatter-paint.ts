// Paints the scatter: grid, axes, points by how they ended. Failed ones are squares and come last, so that nothing hides them.
import type { TraceLine } from '@/api/types';
import { clock, colour, duration } from '@/ui';
import { hasFailed } from './model';
import { roundStep } from './scale';
import { decades, xOf, yOf, type Plane } from './scatter';

/** Room for the axes. */
export const PAD = { left: 60, right: 16, top: 8, bottom: 20 };
const TIME_LABEL_PX = 110;

interface Size {
  width: number;
  height: number;
}

export function paint(canvas: HTMLCanvasElement, points: readonly TraceLine[], plane: Plane, size: Size, hovered?: string): void {
  const pen = prepare(canvas, size);
  if (pen === null) return;
  axes(pen, plane);
  pen.translate(PAD.left, PAD.top);
  const ended = points.filter((it) => !hasFailed(it.status) && !it.running);
  pen.fillStyle = colour('--accent');
  pen.globalAlpha = points.length > 400 ? 0.45 : 0.7;
  for (const it of ended) disc(pen, xOf(plane, it.started_at_unix_ms), yOf(plane, it.duration_ms), 2.4);
  pen.globalAlpha = 1;
  pen.strokeStyle = colour('--busy');
  pen.lineWidth = 1.4;
  for (const it of points) if (it.running) ring(pen, xOf(plane, it.started_at_unix_ms), yOf(plane, it.duration_ms), 3);
  pen.fillStyle = colour('--bad');
  pen.globalAlpha = 0.85;
  for (const it of points) if (hasFailed(it.status)) pen.fillRect(xOf(plane, it.started_at_unix_ms) - 2.4, yOf(plane, it.duration_ms) - 2.4, 4.8, 4.8);
  pen.globalAlpha = 1;
  const marked = points.find((it) => it.trace_id === hovered);
  if (marked === undefined) return;
  pen.strokeStyle = colour('--text');
  ring(pen, xOf(plane, marked.started_at_unix_ms), yOf(plane, marked.duration_ms), 6);
}

/** An empty canvas of this size in the screen's own pixels. */
function prepare(canvas: HTMLCanvasElement, { width, height }: Size): CanvasRenderingContext2D | null {
  const dense = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext('2d');
  pen?.setTransform(dense, 0, 0, dense, 0, 0);
  pen?.clearRect(0, 0, width, height);
  return pen;
}

function axes(pen: CanvasRenderingContext2D, plane: Plane): void {
  pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  pen.strokeStyle = colour('--line');
  pen.fillStyle = colour('--faint');
  pen.lineWidth = 1;
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  for (const ms of decades(plane)) {
    const y = Math.round(PAD.top + yOf(plane, ms)) + 0.5;
    line(pen, PAD.left, y, PAD.left + plane.width, y);
    pen.fillText(duration(ms), PAD.left - 8, y);
  }
  pen.textBaseline = 'alphabetic';
  pen.textAlign = 'center';
  for (const at of times(plane)) {
    const x = Math.round(PAD.left + xOf(plane, at)) + 0.5;
    line(pen, x, PAD.top + plane.height, x, PAD.top + plane.height + 4);
    // A word that would leave the canvas is left out.
    if (x < PAD.left + plane.width - 20) pen.fillText(timeWord(at, plane), x, PAD.top + plane.height + 16);
  }
}

/** Round local times. */
function times(plane: Plane): number[] {
  const step = roundStep((plane.toMs - plane.fromMs) / Math.max(1, plane.width / TIME_LABEL_PX));
  const offset = new Date(plane.fromMs).getTimezoneOffset() * 60_000;
  const found: number[] = [];
  for (let at = Math.ceil((plane.fromMs - offset) / step) * step + offset; at <= plane.toMs; at += step) found.push(at);
  return found;
}

function timeWord(at: number, plane: Plane): string {
  const span = plane.toMs - plane.fromMs;
  if (span < 5_000) return clock(at, true);
  if (span < 7_200_000) return clock(at);
  const when = new Date(at);
  const hours = clock(at).slice(0, 5);
  return span < 86_400_000 ? hours : `${when.getDate()}. ${hours}`;
}

function line(pen: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

function disc(pen: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  pen.beginPath();
  pen.arc(x, y, r, 0, 7);
  pen.fill();
}

function ring(pen: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  pen.beginPath();
  pen.arc(x, y, r, 0, 7);
  pen.stroke();
}
