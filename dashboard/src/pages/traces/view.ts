// Everything about one trace that its drawing needs, worked out once per answer. Pure.
//
// Refuses to hide an operation without a time: it is placed at the beginning.
import type { LogLine, TraceOp, TraceTree } from '@/api/types';
import { endOf, ownSpans, shares, type Share } from './critical';
import { hasFailed } from './model';
import { scaleOf, type Interval, type Scale } from './scale';
import { failures, shapeOf, type Shape } from './tree';

export interface TraceView {
  tree: TraceTree;
  ops: readonly TraceOp[];
  shape: Shape;
  /** Beginning and end of each operation; what runs reaches to now. */
  spans: Interval[];
  /** Of each operation, the parts of the critical path that are its own. */
  own: Interval[][];
  shares: Share[];
  /** Nearest to the cause first. */
  failures: number[];
  /** The same in reading order. */
  failed: number[];
  critical: number[];
  /** Lines by the id of their operation. */
  logs: Map<string, LogLine[]>;
  services: string[];
  running: boolean;
  from: number;
  to: number;
}

/** Works it out; `nowMs` is the runtime's clock. */
export function viewOf(tree: TraceTree, nowMs: number): TraceView {
  const ops = tree.ops;
  const shape = shapeOf(ops);
  const known = ops.map((it) => it.started_at_unix_ms).filter((it) => it > 0);
  const first = known.length > 0 ? known.reduce((a, b) => Math.min(a, b)) : 0;
  const spans = ops.map((it) => {
    const from = it.started_at_unix_ms > 0 ? it.started_at_unix_ms : first;
    return { from, to: Math.max(from, it.started_at_unix_ms > 0 ? endOf(it, nowMs) : from) };
  });
  const own = ownSpans(ops, shape, nowMs);
  const failed = ops.flatMap((it, at) => (hasFailed(it.status) ? [at] : []));
  return {
    tree, ops, shape, spans, own, failed,
    shares: shares(ops, own),
    failures: failures(ops),
    critical: ops.flatMap((it, at) => (it.critical ? [at] : [])),
    logs: byOp(tree.logs ?? []),
    services: [...new Set(ops.flatMap((it) => (it.peer === '' ? [it.service] : [it.service, it.peer])))],
    running: ops.some(isRunning),
    from: first,
    to: spans.reduce((most, it) => Math.max(most, it.to), first),
  };
}

/** The time line of a view; `squeeze` draws long silences short. */
export const scaleFor = (view: TraceView, squeeze: boolean): Scale => scaleOf(view.spans, squeeze);

export const isRunning = (op: TraceOp): boolean => op.duration_ms === null || op.duration_ms === undefined;

function byOp(lines: readonly LogLine[]): Map<string, LogLine[]> {
  const found = new Map<string, LogLine[]>();
  for (const line of lines) {
    const there = found.get(line.op_id);
    if (there === undefined) found.set(line.op_id, [line]);
    else there.push(line);
  }
  return found;
}

const FRESH_MS = 10_000;

/**
 * How often to ask for a trace again, milliseconds: while it runs, less often the longer it does; a little while after its end,
 * because services report in bursts; then not at all.
 */
export function refreshMs(tree: TraceTree, nowMs: number): number | undefined {
  const view = tree.ops;
  if (view.length === 0) return undefined;
  const begun = view.reduce((least, it) => Math.min(least, it.started_at_unix_ms), Infinity);
  const age = nowMs - begun;
  if (view.some(isRunning)) return age < 60_000 ? 1_500 : age < 600_000 ? 5_000 : 30_000;
  const end = view.reduce((most, it) => Math.max(most, endOf(it, nowMs)), 0);
  return nowMs - end < FRESH_MS ? 2_000 : undefined;
}

/** Where the words beside a bar have room: `left` and `right` are places of its ends, 0 to 1. */
export function labelSide(left: number, right: number): 'after' | 'before' | 'inside' {
  if (right < 0.72) return 'after';
  return left > 0.45 ? 'before' : 'inside';
}
