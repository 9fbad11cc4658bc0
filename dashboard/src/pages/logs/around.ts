// What one instance logged around a line. The API lists the newest first, so what follows a line is looked for in spans that grow
// until there is enough.
//
// Refuses to read a busy log whole: at most PAGES_MAX pages a span, SIDE_MAX lines a side.
import { get } from '@/api/client';
import type { LogLine, LogsPage } from '@/api/types';

/** Lines before, and after. */
export const SIDE_MAX = 25;
const SPANS_MS = [20, 1_000, 15_000, 300_000, 21_600_000];
const PAGE = 500;
const PAGES_MAX = 10;

export type Asker = (query: Record<string, string | number>) => Promise<LogsPage>;

const api =
  (signal: AbortSignal): Asker =>
  (query) =>
    get<LogsPage>('/logs', query, signal);

/** Earliest first, the line itself among them. */
export async function around(line: LogLine, signal: AbortSignal): Promise<LogLine[]> {
  return lookAround(line, api(signal));
}

/** `around` with something to ask; for tests. */
export async function lookAround(line: LogLine, ask: Asker): Promise<LogLine[]> {
  const [older, newer] = await Promise.all([before(line, ask), after(line, ask)]);
  return [...older.reverse(), line, ...newer];
}

/** Newest first: those of the same moment that are listed below it, and older ones. */
async function before(line: LogLine, ask: Asker): Promise<LogLine[]> {
  const found: LogLine[] = [];
  let cursor: string | null | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page: LogsPage = await ask({ instance: line.instance_id, until: line.at_unix_ms, limit: PAGE, ...(cursor ? { cursor } : {}) });
    found.push(...page.logs);
    cursor = page.next;
    const at = found.findIndex((it) => it.id === line.id);
    if ((at >= 0 && found.length > at + SIDE_MAX) || !cursor) return found.slice(at + 1, at + 1 + SIDE_MAX);
  }
  return [];
}

/** Earliest first. */
async function after(line: LogLine, ask: Asker): Promise<LogLine[]> {
  let nearest: LogLine[] = [];
  for (const span of SPANS_MS) {
    const [newer, all] = await within(line, span, ask);
    // Of a span with more than can be read only the far end is known; the one before it had few, but they are the nearest.
    if (!all) return nearest;
    nearest = newer.reverse().slice(0, SIDE_MAX);
    if (nearest.length >= SIDE_MAX) return nearest;
  }
  return nearest;
}

/** Newest first those that follow within a span, and whether these are all of them. */
async function within(line: LogLine, spanMs: number, ask: Asker): Promise<[LogLine[], boolean]> {
  const query = { instance: line.instance_id, since: line.at_unix_ms, until: line.at_unix_ms + spanMs, limit: PAGE };
  const found: LogLine[] = [];
  let cursor: string | null | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page: LogsPage = await ask(cursor ? { ...query, cursor } : query);
    const at = page.logs.findIndex((it) => it.id === line.id);
    found.push(...(at >= 0 ? page.logs.slice(0, at) : page.logs));
    cursor = page.next;
    if (at >= 0 || !cursor) return [found, true];
  }
  return [found, false];
}
