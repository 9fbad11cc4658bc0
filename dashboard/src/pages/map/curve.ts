// The line of a call from one box to another: one cubic curve that leaves at the right and arrives at the left, so that the
// direction can be read from the shape; calls back go the other way round. Pure.

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** x0 y0 x1 y1 x2 y2 x3 y3. */
export type Curve = readonly [number, number, number, number, number, number, number, number];

const SPREAD = 0.06;
const EDGE = 12;

/** Where on its side a box is met: nearer to the other end, so that lines do not all go through one point. */
function meet(box: Rect, otherY: number): number {
  const room = box.height / 2 - EDGE;
  return box.y + Math.max(-room, Math.min(room, (otherY - box.y) * SPREAD));
}

export function curveBetween(from: Rect, to: Rect): Curve {
  const y0 = meet(from, to.y);
  const y3 = meet(to, from.y);
  const gap = to.x - to.width / 2 - (from.x + from.width / 2);
  if (gap > 8) {
    const x0 = from.x + from.width / 2;
    const x3 = to.x - to.width / 2;
    const bend = Math.max(24, Math.min(160, gap * 0.5));
    return [x0, y0, x0 + bend, y0, x3 - bend, y3, x3, y3];
  }
  const back = from.x - from.width / 2 - (to.x + to.width / 2);
  if (back > 8) {
    const x0 = from.x - from.width / 2;
    const x3 = to.x + to.width / 2;
    const bend = Math.max(24, Math.min(160, back * 0.5));
    const dip = 20 + Math.min(60, back * 0.04);
    return [x0, y0, x0 - bend, y0 + dip, x3 + bend, y3 + dip, x3, y3];
  }
  // The same column (or itself): a bow at the right side.
  const x0 = from.x + from.width / 2;
  const x3 = to.x + to.width / 2;
  const bow = from === to ? 44 : Math.min(88, 28 + Math.abs(y3 - y0) * 0.12);
  const high = from === to ? 14 : 0;
  return [x0, y0 - high, x0 + bow, y0 - high, x3 + bow, y3 + high, x3, y3 + high];
}

/** The point at `t`, 0 to 1. */
export function pointAt(curve: Curve, t: number): [number, number] {
  const [x0, y0, x1, y1, x2, y2, x3, y3] = curve;
  const u = 1 - t;
  const a = u * u * u;
  const b = 3 * u * u * t;
  const c = 3 * u * t * t;
  const d = t * t * t;
  return [a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3];
}

const SAMPLES = 24;

/** How far a point is from the curve, at most `limit`; `limit` when it is farther. */
export function distanceTo(curve: Curve, x: number, y: number, limit: number): number {
  const [x0, y0, x1, y1, x2, y2, x3, y3] = curve;
  if (x < Math.min(x0, x1, x2, x3) - limit || x > Math.max(x0, x1, x2, x3) + limit) return limit;
  if (y < Math.min(y0, y1, y2, y3) - limit || y > Math.max(y0, y1, y2, y3) + limit) return limit;
  let nearest = limit;
  let [px, py] = [x0, y0];
  for (let at = 1; at <= SAMPLES; at++) {
    const [qx, qy] = pointAt(curve, at / SAMPLES);
    nearest = Math.min(nearest, toSegment(x, y, px, py, qx, qy));
    [px, py] = [qx, qy];
  }
  return nearest;
}

function toSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/** Its length, nearly: the mean of chord and control polygon. */
export function lengthOf([x0, y0, x1, y1, x2, y2, x3, y3]: Curve): number {
  const chord = Math.hypot(x3 - x0, y3 - y0);
  return (chord + Math.hypot(x1 - x0, y1 - y0) + Math.hypot(x2 - x1, y2 - y1) + Math.hypot(x3 - x2, y3 - y2)) / 2;
}
