// Where one looks from: a shift and a scale. Pure. A point of the world (x, y) is at (x · k + left, y · k + top) of the stage.

export interface Camera {
  left: number;
  top: number;
  k: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Extent {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export const K_MIN = 0.12;
export const K_MAX = 2;
const FIT_K_MAX = 1.15;
const MARGIN = 40;

const bound = (k: number) => Math.max(K_MIN, Math.min(K_MAX, k));

/** Scales by `factor` so that what is at (x, y) of the stage stays there. */
export function zoomAt(it: Camera, x: number, y: number, factor: number): Camera {
  const k = bound(it.k * factor);
  const real = k / it.k;
  return { k, left: x - (x - it.left) * real, top: y - (y - it.top) * real };
}

/** Shows all of `extent` in the middle of the stage, never larger than a little over life size. */
export function fit(extent: Extent | null, stage: Size): Camera {
  if (!extent || stage.width === 0) return { left: stage.width / 2, top: stage.height / 2, k: 1 };
  const width = Math.max(1, extent.right - extent.left);
  const height = Math.max(1, extent.bottom - extent.top);
  const k = bound(Math.min(FIT_K_MAX, (stage.width - MARGIN * 2) / width, (stage.height - MARGIN * 2) / height));
  return {
    k,
    left: stage.width / 2 - ((extent.left + extent.right) / 2) * k,
    top: stage.height / 2 - ((extent.top + extent.bottom) / 2) * k,
  };
}

/** The least movement that brings a box into view; the same camera when it is. */
export function reveal(it: Camera, box: { x: number; y: number; width: number; height: number }, stage: Size): Camera {
  const shift = (low: number, high: number, size: number): number => {
    if (low < MARGIN) return MARGIN - low;
    return high > size - MARGIN ? Math.max(size - MARGIN - high, MARGIN - low) : 0;
  };
  const x = box.x * it.k + it.left;
  const y = box.y * it.k + it.top;
  const dx = shift(x - (box.width / 2) * it.k, x + (box.width / 2) * it.k, stage.width);
  const dy = shift(y - (box.height / 2) * it.k, y + (box.height / 2) * it.k, stage.height);
  return dx === 0 && dy === 0 ? it : { ...it, left: it.left + dx, top: it.top + dy };
}

/** The part of the world in view, and `margin` stage pixels around it. */
export function inView(it: Camera, stage: Size, margin: number): Extent {
  return {
    left: (-it.left - margin) / it.k,
    top: (-it.top - margin) / it.k,
    right: (stage.width - it.left + margin) / it.k,
    bottom: (stage.height - it.top + margin) / it.k,
  };
}

export type Detail = 'near' | 'mid' | 'far';

/** How much of a card can be read at this scale. */
export const detailOf = (k: number): Detail => (k >= 0.62 ? 'near' : k >= 0.36 ? 'mid' : 'far');

/** The nearest box in a direction from `from`, preferring what is straight ahead; null at the border. */
export function nextBox<T extends { x: number; y: number }>(from: { x: number; y: number }, boxes: Iterable<T>, dx: number, dy: number): T | null {
  let best: T | null = null;
  let least = Infinity;
  for (const it of boxes) {
    const ahead = (it.x - from.x) * dx + (it.y - from.y) * dy;
    const aside = Math.abs((it.x - from.x) * dy) + Math.abs((it.y - from.y) * dx);
    if (ahead <= 4) continue;
    const cost = ahead + aside * 2;
    if (cost < least) [best, least] = [it, cost];
  }
  return best;
}
