// Keeps objects that are told again as they were, so that whoever draws them sees by identity that nothing changed. Pure.

/** Whether two values of JSON say the same. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameJson(a[name as keyof typeof a], b[name as keyof typeof b]));
}

/** `now`, with those of `before` that have the same key and say the same. */
export function keepSame<T>(before: readonly T[], now: readonly T[], key: (it: T) => string, same: (a: T, b: T) => boolean = sameJson): T[] {
  const known = new Map(before.map((it) => [key(it), it]));
  return now.map((it) => {
    const old = known.get(key(it));
    return old !== undefined && same(old, it) ? old : it;
  });
}
