// Where the time of a trace went: the parts of its critical path that nobody below explains. Pure.
//
// Which operations are on the path is the runtime's decision (`critical`); here it is only divided among them.
// Refuses to count a moment twice: of overlapping children the one that comes first has it.
// Clocks of several machines make this an estimate.

import type { TraceOp } from '@/api/types';
import { doer } from './model';
import type { Interval } from './scale';
import type { Shape } from './tree';

/** When an operation ended, or `nowMs` while it runs. */
export function endOf(op: TraceOp, nowMs: number): number {
  return op.duration_ms === null || op.duration_ms === undefined
    ? Math.max(nowMs, op.started_at_unix_ms)
    : op.started_at_unix_ms + op.duration_ms;
}

/** For each operation on the path the spans that are its own: not covered by a child on the path. */
export function ownSpans(ops: readonly TraceOp[], shape: Shape, nowMs: number): Interval[][] {
  const below: number[][] = ops.map(() => []);
  ops.forEach((op, at) => {
    const above = shape.parent[at] as number;
    if (op.critical && above >= 0) (below[above] as number[]).push(at);
  });
  return ops.map((op, at) => {
    if (!op.critical) return [];
    const whole = { from: op.started_at_unix_ms, to: endOf(op, nowMs) };
    const children = (below[at] as number[]).map((it) => {
      const child = ops[it] as TraceOp;
      return { from: child.started_at_unix_ms, to: endOf(child, nowMs) };
    });
    return without(whole, children);
  });
}

/** What of `whole` none of `holes` covers, in order. */
export function without(whole: Interval, holes: readonly Interval[]): Interval[] {
  const left: Interval[] = [];
  let from = whole.from;
  for (const hole of [...holes].sort((a, b) => a.from - b.from)) {
    if (hole.from >= whole.to) break;
    if (hole.from > from) left.push({ from, to: hole.from });
    from = Math.max(from, hole.to);
  }
  if (from < whole.to) left.push({ from, to: whole.to });
  return left;
}

/** A service's share of the critical path. */
export interface Share {
  service: string;
  ms: number;
}

/** How the path divides among services, largest first; those without a millisecond are left out. */
export function shares(ops: readonly TraceOp[], own: readonly Interval[][]): Share[] {
  const sum = new Map<string, number>();
  ops.forEach((op, at) => {
    const ms = (own[at] ?? []).reduce((total, it) => total + it.to - it.from, 0);
    if (ms <= 0) return;
    sum.set(doer(op), (sum.get(doer(op)) ?? 0) + ms);
  });
  return [...sum].map(([service, ms]) => ({ service, ms })).sort((a, b) => b.ms - a.ms || a.service.localeCompare(b.service));
}
