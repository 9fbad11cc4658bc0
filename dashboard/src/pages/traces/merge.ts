// Traces that come in pages and traces that come live, as one list. Pure.
//
// Refuses duplicates: a trace is there once, as it was told last; a page knows more than the end of a root.
// Invariant: newest first, by start and then by id, as the API orders them.

import type { EndedOp, TraceLine } from '@/api/types';
import { hasFailed } from './model';

/** Most traces in a list. */
export const LINES_MAX = 5_000;

const order = (a: TraceLine, b: TraceLine): number =>
  b.started_at_unix_ms - a.started_at_unix_ms || (a.trace_id < b.trace_id ? 1 : a.trace_id > b.trace_id ? -1 : 0);

/** `lines` with `more` put in; of two of one trace the one of `more` stays. */
export function merge(lines: readonly TraceLine[], more: readonly TraceLine[]): TraceLine[] {
  const told = new Set(more.map((it) => it.trace_id));
  const known = new Map<string, TraceLine>();
  // Few come at a time and thousands are there: only those that are told are looked at twice.
  const rest = lines.filter((it) => !told.has(it.trace_id) || !known.set(it.trace_id, it));
  for (const it of more) {
    const before = known.get(it.trace_id);
    known.set(it.trace_id, before === undefined || it.ops > 0 ? it : withRoot(before, it));
  }
  return zipped([...known.values()].sort(order), rest);
}

/** Two lists in their order, as one. */
function zipped(fresh: readonly TraceLine[], rest: readonly TraceLine[]): TraceLine[] {
  const both: TraceLine[] = [];
  let at = 0;
  for (const it of fresh) {
    for (let next = rest[at]; next !== undefined && order(next, it) < 0; next = rest[at]) {
      both.push(next);
      at += 1;
    }
    both.push(it);
  }
  return both.concat(rest.slice(at));
}

/** The end of a root tells how the whole went; how many operations there were is known from before. */
function withRoot(before: TraceLine, root: TraceLine): TraceLine {
  if (root.started_at_unix_ms > before.started_at_unix_ms) return before;
  return { ...before, ...root, ops: before.ops, errors: Math.max(before.errors ?? 0, root.errors ?? 0), running: false };
}

/** The newest `most` of them, and whether something was left out. */
export function newest(lines: readonly TraceLine[], most: number): [TraceLine[], boolean] {
  return lines.length > most ? [lines.slice(0, most), true] : [[...lines], false];
}

/** The traces that ended roots are of; how many operations they have is not known yet. */
export function fromRoots(ops: readonly EndedOp[]): TraceLine[] {
  return ops
    .filter((it) => it.parent_op_id === null || it.parent_op_id === undefined)
    .map((it) => ({
      trace_id: it.trace_id,
      subject: it.subject,
      service: it.service,
      channel: it.channel,
      started_at_unix_ms: it.started_at_unix_ms,
      duration_ms: it.duration_ms,
      ops: 0,
      errors: hasFailed(it.status) ? 1 : 0,
      status: it.status,
      running: false,
    }));
}

/** How many of `more` are not in `lines`. */
export function countNew(lines: readonly TraceLine[], more: readonly TraceLine[]): number {
  const known = new Set(lines.map((it) => it.trace_id));
  return more.reduce((sum, it) => sum + (known.has(it.trace_id) ? 0 : 1), 0);
}
