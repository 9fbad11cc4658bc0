// The time range of a list: a quick one that moves along with the clock, or two fixed ends. Pure.
//
// Refuses text that is no time; whoever reads a URL that somebody edited gets no range instead.
// Invariant: what `writeRange` puts into a query, `readRange` reads back.

/** Milliseconds of the quick ranges, by the word that stands in the URL. */
export const QUICK = {
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '24h': 86_400_000,
  '3d': 259_200_000,
} as const;

export type QuickRange = keyof typeof QUICK;

/** Everything that is kept when all of it is absent. `quick` excludes the other two. */
export interface Range {
  quick?: QuickRange;
  /** Unix milliseconds, inclusive. */
  since?: number;
  /** Unix milliseconds, inclusive. */
  until?: number;
}

const WORDS: Record<QuickRange, string> = {
  '5m': 'Last 5 minutes',
  '15m': 'Last 15 minutes',
  '1h': 'Last hour',
  '6h': 'Last 6 hours',
  '24h': 'Last 24 hours',
  '3d': 'Last 3 days',
};

/** `Last hour`. */
export function quickWords(quick: QuickRange): string {
  return WORDS[quick];
}

function isQuick(word: string | null): word is QuickRange {
  return word !== null && Object.hasOwn(QUICK, word);
}

/** The range in a query. */
export function readRange(query: URLSearchParams): Range {
  const quick = query.get('range');
  if (isQuick(quick)) return { quick };
  const range: Range = {};
  const since = readTime(query.get('since'));
  const until = readTime(query.get('until'));
  if (since !== undefined) range.since = since;
  if (until !== undefined) range.until = until;
  return range;
}

/** Puts a range into a query. */
export function writeRange(query: URLSearchParams, range: Range): void {
  if (range.quick !== undefined) {
    query.set('range', range.quick);
    return;
  }
  if (range.since !== undefined) query.set('since', String(range.since));
  if (range.until !== undefined) query.set('until', String(range.until));
}

function readTime(text: string | null): number | undefined {
  if (text === null || text.trim() === '') return undefined;
  const at = Number(text);
  return Number.isSafeInteger(at) && at >= 0 ? at : undefined;
}

/** The two ends as the API wants them, at this moment. */
export function ends(range: Range, nowMs: number): { since?: number; until?: number } {
  if (range.quick !== undefined) return { since: nowMs - QUICK[range.quick] };
  const { since, until } = range;
  return {
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

/** Whether something that happens now is in it: what does not end can be followed live. */
export function isOpen(range: Range): boolean {
  return range.until === undefined;
}

/** What a field of type `datetime-local` shows, in local time, with seconds. */
export function localInput(atMs: number | undefined): string {
  if (atMs === undefined) return '';
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** What a field of type `datetime-local` says; undefined when it says nothing. */
export function fromLocalInput(text: string): number | undefined {
  const at = text === '' ? Number.NaN : new Date(text).getTime();
  return Number.isNaN(at) ? undefined : at;
}
