import { expect, test } from 'vitest';
import type { TraceOp, TraceTree } from '@/api/types';
import { labelSide, refreshMs, viewOf } from './view';

function op(id: string, depth: number, from: number, ms: number | null, status: TraceOp['status'] = 'SUCCESS'): TraceOp {
  return {
    op_id: id, depth, status, channel: 'rpc', subject: id, service: 'orders', instance_id: '', peer: '', started_at_unix_ms: from,
    duration_ms: ms, message: '', attempt: 1, business_key: '', critical: depth === 0, meta: {}, attrs: {},
  };
}

const tree = (ops: TraceOp[]): TraceTree => ({
  trace_id: 't', ops, truncated: false,
  logs: [{ id: '1', at_unix_ms: 5, level: 'info', service: 'orders', instance_id: '', source: 'sdk', message: 'm', fields: {}, trace_id: 't', op_id: 'b' }],
});

test('one reading of a trace says all that is drawn', () => {
  const view = viewOf(tree([op('a', 0, 1_000, null), op('b', 1, 1_010, 20, 'ERROR'), op('c', 1, 0, 5)]), 1_100);
  expect(view.spans).toEqual([{ from: 1_000, to: 1_100 }, { from: 1_010, to: 1_030 }, { from: 1_000, to: 1_000 }]);
  expect([view.running, view.from, view.to, view.failed, view.services]).toEqual([true, 1_000, 1_100, [1], ['orders']]);
  expect(view.logs.get('b')).toHaveLength(1);
});

test('a trace that runs is asked for again, less and less often, one that has ended not for long', () => {
  expect(refreshMs(tree([op('a', 0, 0, null)]), 1_000)).toBe(1_500);
  expect(refreshMs(tree([op('a', 0, 0, null)]), 3_600_000)).toBe(30_000);
  expect(refreshMs(tree([op('a', 0, 0, 10)]), 5_000)).toBe(2_000);
  expect(refreshMs(tree([op('a', 0, 0, 10)]), 60_000)).toBeUndefined();
  expect(refreshMs(tree([]), 0)).toBeUndefined();
});

test('words stand where a bar leaves room', () => {
  expect([labelSide(0.1, 0.3), labelSide(0.8, 0.95), labelSide(0, 1)]).toEqual(['after', 'before', 'inside']);
});
