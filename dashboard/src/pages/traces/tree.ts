// A trace as rows: who is whose parent, what is folded away, where the next failure is. Pure.
//
// Operations arrive depth first, each with its depth. Refuses to recurse: a trace may be deeper than a stack.
// Invariant: `rows` lists an operation exactly when none of those above it is folded.

import type { TraceOp } from '@/api/types';
import { hasFailed } from './model';

/** What the order and the depths of operations say. */
export interface Shape {
  /** Index of the parent, -1 for a root. */
  parent: Int32Array;
  /** Index after the last operation below it: `end[at] - at - 1` are below. */
  end: Int32Array;
  /** Failed operations below it, itself not counted. */
  failedBelow: Int32Array;
}

/** Reads the shape; a depth that jumps by more than one is taken as one. */
export function shapeOf(ops: readonly TraceOp[]): Shape {
  const parent = new Int32Array(ops.length).fill(-1);
  const end = new Int32Array(ops.length);
  const failedBelow = new Int32Array(ops.length);
  const open: number[] = [];
  ops.forEach((op, at) => {
    while (open.length > op.depth) end[open.pop() as number] = at;
    parent[at] = open.at(-1) ?? -1;
    open.push(at);
  });
  for (const at of open) end[at] = ops.length;
  for (let at = ops.length - 1; at >= 0; at--) {
    const above = parent[at] as number;
    const failed = hasFailed((ops[at] as TraceOp).status) ? 1 : 0;
    if (above >= 0) failedBelow[above] = (failedBelow[above] as number) + (failedBelow[at] as number) + failed;
  }
  return { parent, end, failedBelow };
}

/** Whether there is something below. */
export const hasChildren = (shape: Shape, at: number): boolean => (shape.end[at] as number) > at + 1;

/** Indexes of the operations to show, in order, when these (by id) are folded. */
export function rowsOf(ops: readonly TraceOp[], shape: Shape, folded: ReadonlySet<string>): number[] {
  const rows: number[] = [];
  for (let at = 0; at < ops.length; ) {
    rows.push(at);
    const op = ops[at] as TraceOp;
    at = folded.has(op.op_id) ? (shape.end[at] as number) : at + 1;
  }
  return rows;
}

/** What must be unfolded so that `at` can be seen. */
export function withAbove(ops: readonly TraceOp[], shape: Shape, folded: ReadonlySet<string>, at: number): ReadonlySet<string> {
  const open = new Set(folded);
  for (let it = shape.parent[at] as number; it >= 0; it = shape.parent[it] as number) open.delete((ops[it] as TraceOp).op_id);
  return open.size === folded.size ? folded : open;
}

/** For every level above `at`, whether the line of that level goes on below its row. */
export function guides(shape: Shape, ops: readonly TraceOp[], at: number): boolean[] {
  const depth = (ops[at] as TraceOp).depth;
  const lines: boolean[] = new Array<boolean>(depth).fill(false);
  let it = at;
  for (let level = depth - 1; level >= 0 && it >= 0; level--) {
    const above = shape.parent[it] as number;
    const until = above < 0 ? ops.length : (shape.end[above] as number);
    lines[level] = (shape.end[it] as number) < until;
    it = above;
  }
  return lines;
}

/** Failed operations, nearest to the cause first: the deepest, and of those the earliest. */
export function failures(ops: readonly TraceOp[]): number[] {
  const failed = ops.map((_, at) => at).filter((at) => hasFailed((ops[at] as TraceOp).status));
  const key = (at: number) => ops[at] as TraceOp;
  return failed.sort((a, b) => key(b).depth - key(a).depth || key(a).started_at_unix_ms - key(b).started_at_unix_ms || a - b);
}

/** The next of `wanted` (indexes in reading order) after `at`, around the end; undefined when there is none. */
export function nextOf(wanted: readonly number[], at: number, step: 1 | -1): number | undefined {
  if (wanted.length === 0) return undefined;
  if (step === 1) return wanted.find((it) => it > at) ?? wanted[0];
  return wanted.findLast((it) => it < at) ?? wanted.at(-1);
}

/** Operations whose subject, service, key or message has the text, whatever the case; none for no text. */
export function matching(ops: readonly TraceOp[], text: string): number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  const has = (op: TraceOp) =>
    [op.subject, op.service, op.business_key, op.message, op.peer, op.op_id].some((it) => it.toLowerCase().includes(wanted));
  return ops.flatMap((op, at) => (has(op) ? [at] : []));
}
