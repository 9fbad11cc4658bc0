// Lines that come in pages and lines that come live, as one list. Pure.
//
// Refuses duplicates: a line is there once, whatever way it came. Invariant: newest first; lines of one moment keep the order in
// which the API told them.

import type { LogLine } from '@/api/types';

/** Most lines in a list. */
export const LINES_MAX = 10_000;

/** Puts older lines of a page below. */
export function below(lines: readonly LogLine[], page: readonly LogLine[]): LogLine[] {
  const known = new Set(lines.map((it) => it.id));
  return [...lines, ...page.filter((it) => !known.has(it.id))];
}

/**
 * Puts newer lines above, whatever order they arrive in. A line that is older than the newest one here goes where its time
 * belongs: services report in bursts, and not at the same moment.
 */
export function above(lines: readonly LogLine[], arrived: readonly LogLine[]): LogLine[] {
  const known = new Set(lines.map((it) => it.id));
  const fresh: LogLine[] = [];
  for (const it of arrived) {
    if (known.has(it.id)) continue;
    known.add(it.id);
    fresh.push(it);
  }
  if (fresh.length === 0) return lines as LogLine[];
  fresh.sort((a, b) => b.at_unix_ms - a.at_unix_ms);
  const oldest = (fresh.at(-1) as LogLine).at_unix_ms;
  // Only the head can change: everything below is older than all that arrived.
  const cut = lines.findIndex((it) => it.at_unix_ms < oldest);
  const head = cut < 0 ? lines : lines.slice(0, cut);
  const tail = cut < 0 ? [] : lines.slice(cut);
  return [...zipped(fresh, head), ...tail];
}

function zipped(fresh: readonly LogLine[], head: readonly LogLine[]): LogLine[] {
  const both: LogLine[] = [];
  let [a, b] = [0, 0];
  while (a < fresh.length || b < head.length) {
    const [left, right] = [fresh[a], head[b]];
    if (right === undefined || (left !== undefined && left.at_unix_ms >= right.at_unix_ms)) both.push(fresh[a++] as LogLine);
    else both.push(head[b++] as LogLine);
  }
  return both;
}

/** The newest `most` of them, and whether something was left out. */
export function newest(lines: readonly LogLine[], most: number): [LogLine[], boolean] {
  return lines.length > most ? [lines.slice(0, most), true] : [lines as LogLine[], false];
}

/** A page as part of a file: one JSON object per line, newest last, as log files are. */
export function jsonl(lines: readonly LogLine[]): string {
  return [...lines].reverse().map((it) => `${JSON.stringify(it)}\n`).join('');
}
