// Services in groups by the beginning of their names: `orders-api` and `orders-worker` are of `orders`. Pure.

/** Above this many services the map groups by itself. */
export const GROUP_ABOVE = 40;

const BREAK = /[-._/:]/;

/** What comes before the first separator; the whole name without one. */
export function prefixOf(name: string): string {
  const at = name.search(BREAK);
  return at > 0 ? name.slice(0, at) : name;
}

/** Name → prefix for every name that shares its prefix with another; the others stay alone and are not listed. */
export function groupNames(names: Iterable<string>): Map<string, string> {
  const byPrefix = new Map<string, string[]>();
  for (const name of names) {
    const prefix = prefixOf(name);
    const list = byPrefix.get(prefix);
    if (list) list.push(name);
    else byPrefix.set(prefix, [name]);
  }
  const found = new Map<string, string>();
  for (const [prefix, list] of byPrefix) {
    if (list.length > 1) list.forEach((name) => found.set(name, prefix));
  }
  return found;
}
