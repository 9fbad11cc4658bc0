// What a page keeps for the way back: how far a list was scrolled, under the entry of the history it was seen at. In memory, so
// that a reload begins anew.
//
// Refuses to grow: of the entries, those left longest ago are forgotten.
import { entry } from './router';

const ENTRIES_MAX = 64;
const kept = new Map<string, Map<string, unknown>>();

export interface Keeper<T> {
  /** What was kept here when one was here last. */
  read(): T | undefined;
  write(value: T): void;
}

/** Keeps something under a name at the entry one is at now, wherever one is when it is written. */
export function keeperOf<T>(name: string): Keeper<T> {
  const at = entry();
  return {
    read: () => kept.get(at)?.get(name) as T | undefined,
    write: (value) => {
      const names = kept.get(at) ?? new Map<string, unknown>();
      // Written last, forgotten last.
      kept.delete(at);
      kept.set(at, names.set(name, value));
      for (const oldest of kept.keys()) {
        if (kept.size <= ENTRIES_MAX) break;
        kept.delete(oldest);
      }
    },
  };
}
