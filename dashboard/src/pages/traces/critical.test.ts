import { expect, test } from 'vitest';
import type { TraceOp } from '@/api/types';
import { ownSpans, shares, without } from './critical';
import { shapeOf } from './tree';

function op(depth: number, from: number, to: number | null, service: string, peer = '', critical = true): TraceOp {
  return {
    op_id: `${from}-${to}`, depth, critical, service, peer, status: 'SUCCESS', channel: 'rpc', subject: '', instance_id: '',
    started_at_unix_ms: from, duration_ms: to === null ? null : to - from, message: '', attempt: 1, business_key: '', meta: {}, attrs: {},
  };
}

test('of an operation on the path, what its children on the path do not cover is its own', () => {
  const ops = [op(0, 0, 100, 'orders'), op(1, 10, 40, 'orders', 'stock'), op(1, 20, 90, 'orders', 'mail', false), op(1, 40, 80, 'orders', 'cards')];
  const own = ownSpans(ops, shapeOf(ops), 0);
  expect(own).toEqual([[{ from: 0, to: 10 }, { from: 80, to: 100 }], [{ from: 10, to: 40 }], [], [{ from: 40, to: 80 }]]);
  expect(shares(ops, own)).toEqual([{ service: 'cards', ms: 40 }, { service: 'orders', ms: 30 }, { service: 'stock', ms: 30 }]);
});

test('overlapping children take a moment once, and one that outlives its parent no more than there is', () => {
  expect(without({ from: 0, to: 10 }, [{ from: 5, to: 20 }, { from: 2, to: 6 }])).toEqual([{ from: 0, to: 2 }]);
  expect(without({ from: 0, to: 10 }, [{ from: 10, to: 20 }])).toEqual([{ from: 0, to: 10 }]);
});

test('what still runs reaches to now', () => {
  const ops = [op(0, 0, null, 'orders')];
  expect(ownSpans(ops, shapeOf(ops), 70)).toEqual([[{ from: 0, to: 70 }]]);
});
