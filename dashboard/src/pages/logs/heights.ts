// Where rows of different heights lie, and which of them are seen. Pure.
//
// A row that was never seen counts as `base`. Invariant: `tops` grows by the height of each row and ends with the height of all.

/** Where each row begins, and after the last one where all end. */
export function tops(count: number, heightAt: (row: number) => number): Float64Array {
  const found = new Float64Array(count + 1);
  for (let row = 0; row < count; row++) found[row + 1] = (found[row] as number) + heightAt(row);
  return found;
}

/** The row at a height; the last one below all. */
export function rowAt(offsets: Float64Array, top: number): number {
  let [low, high] = [0, Math.max(0, offsets.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] as number) <= top) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The rows between two heights and `more` on both sides: first, and the one after the last. */
export function seen(offsets: Float64Array, top: number, bottom: number, more: number): [number, number] {
  const count = offsets.length - 1;
  return [Math.max(0, rowAt(offsets, top) - more), Math.min(count, rowAt(offsets, bottom) + 1 + more)];
}
