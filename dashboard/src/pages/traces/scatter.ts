// Traces as points, time to the right and duration upwards on a logarithmic scale: where a point lies, which one is near. Pure.
//
// Refuses more than POINTS_MAX points; failed and slow ones are kept before others.
// Invariant: a place on the plane and the time and duration there turn into each other.

import type { TraceLine } from '@/api/types';
import { hasFailed } from './model';

export const POINTS_MAX = 2_000;
/** What is shorter is drawn here: the logarithm of nothing is nowhere. */
export const SHORTEST_MS = 0.5;
/** Slowest of all that are kept when there are too many. */
const SLOWEST_KEPT = 200;

export interface Plane {
  fromMs: number;
  toMs: number;
  /** Durations at the bottom and at the top. */
  lowMs: number;
  highMs: number;
  width: number;
  height: number;
}

/** At most `most` of them: all that failed, the slowest, and of the rest every so many. */
export function sample(lines: readonly TraceLine[], most = POINTS_MAX): TraceLine[] {
  if (lines.length <= most) return [...lines];
  const kept = slowest(lines, Math.min(SLOWEST_KEPT, most));
  for (const it of lines) if (kept.size < most && (hasFailed(it.status) || it.running)) kept.add(it);
  const rest = lines.filter((it) => !kept.has(it));
  const room = most - kept.size;
  for (let at = 0; at < room; at++) kept.add(rest[Math.floor((at * rest.length) / room)] as TraceLine);
  return lines.filter((it) => kept.has(it));
}

/** So many of those that took longest; of equal ones the first. */
function slowest(lines: readonly TraceLine[], most: number): Set<TraceLine> {
  const sorted = Float64Array.from(lines, (it) => it.duration_ms).sort();
  const least = sorted[lines.length - most] ?? 0;
  const kept = new Set(lines.filter((it) => it.duration_ms > least));
  for (const it of lines) if (kept.size < most && it.duration_ms === least) kept.add(it);
  return kept;
}

/** A plane that holds all of them, in a box; time reaches at least over `fixed`, where it is given. */
export function planeOf(lines: readonly TraceLine[], box: { width: number; height: number }, fixed: { fromMs?: number; toMs?: number } = {}): Plane {
  let [fromMs, toMs, lowMs, highMs] = [Infinity, -Infinity, Infinity, 0];
  for (const it of lines) {
    fromMs = Math.min(fromMs, it.started_at_unix_ms);
    toMs = Math.max(toMs, it.started_at_unix_ms);
    lowMs = Math.min(lowMs, Math.max(it.duration_ms, SHORTEST_MS));
    highMs = Math.max(highMs, it.duration_ms);
  }
  fromMs = fixed.fromMs ?? fromMs;
  toMs = Math.max(fixed.toMs ?? toMs, fromMs + 1);
  // Nearly two decades at least, so that a few equal durations do not look like noise.
  const low = Math.max(SHORTEST_MS, Math.min(lowMs, highMs / 50));
  return { ...box, fromMs, toMs, lowMs: low / 1.25, highMs: Math.max(highMs, low * 50) * 1.35 };
}

export const xOf = (plane: Plane, timeMs: number): number => ((timeMs - plane.fromMs) / (plane.toMs - plane.fromMs)) * plane.width;

export const yOf = (plane: Plane, durationMs: number): number => {
  const part = Math.log(Math.max(durationMs, SHORTEST_MS) / plane.lowMs) / Math.log(plane.highMs / plane.lowMs);
  return plane.height * (1 - part);
};

export const timeAt = (plane: Plane, x: number): number => plane.fromMs + (x / plane.width) * (plane.toMs - plane.fromMs);

export const durationAt = (plane: Plane, y: number): number => plane.lowMs * (plane.highMs / plane.lowMs) ** (1 - y / plane.height);

/** Powers of ten between bottom and top. */
export function decades(plane: Plane): number[] {
  const found: number[] = [];
  for (let power = Math.ceil(Math.log10(plane.lowMs)); 10 ** power <= plane.highMs; power++) found.push(10 ** power);
  return found;
}

/** The nearest within `reach` pixels; a failed one wins over another that is as near. */
export function nearest(lines: readonly TraceLine[], plane: Plane, x: number, y: number, reach: number): TraceLine | undefined {
  let best: TraceLine | undefined;
  let least = reach;
  for (const it of lines) {
    const away = Math.hypot(xOf(plane, it.started_at_unix_ms) - x, yOf(plane, it.duration_ms) - y) - (hasFailed(it.status) ? 0.5 : 0);
    if (away < least) [best, least] = [it, away];
  }
  return best;
}

/** What a brush from one corner to the other selects; durations only where it is a frame and not a span of time. */
export function brushed(plane: Plane, a: { x: number; y: number }, b: { x: number; y: number }): { since: number; until: number; minMs?: number; maxMs?: number } {
  const [left, right] = a.x < b.x ? [a.x, b.x] : [b.x, a.x];
  const [top, bottom] = a.y < b.y ? [a.y, b.y] : [b.y, a.y];
  const span = { since: Math.floor(timeAt(plane, left)), until: Math.ceil(timeAt(plane, right)) };
  const tall = bottom - top;
  if (tall < 12 || tall > plane.height * 0.8) return span;
  return { ...span, minMs: Math.floor(durationAt(plane, bottom)), maxMs: Math.ceil(durationAt(plane, top)) };
}

/** How long `part` (0 to 1) of them took at most; undefined for none. */
export function quantile(sortedMs: ArrayLike<number>, part: number): number | undefined {
  return sortedMs[Math.min(sortedMs.length - 1, Math.ceil(sortedMs.length * part) - 1)] ?? sortedMs[0];
}
