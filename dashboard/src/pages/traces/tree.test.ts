import { expect, test } from 'vitest';
import type { TraceOp } from '@/api/types';
import { failures, guides, hasChildren, matching, nextOf, rowsOf, shapeOf, withAbove } from './tree';

/** `a` and `b` side by side, `a1` and `a2` below `a`, `a1x` below `a1`. */
const ops = [op('a', 0), op('a1', 1), op('a1x', 2, 'ERROR'), op('a2', 1, 'TIMEOUT'), op('b', 0)];

function op(id: string, depth: number, status: TraceOp['status'] = 'SUCCESS'): TraceOp {
  return {
    op_id: id, depth, status, channel: 'user', subject: `do ${id}`, service: 'orders', instance_id: '', peer: '', started_at_unix_ms: 0,
    duration_ms: 1, message: '', attempt: 1, business_key: '', critical: false, meta: {}, attrs: {},
  };
}

test('depths say who is whose parent and where a subtree ends', () => {
  const shape = shapeOf(ops);
  expect([...shape.parent]).toEqual([-1, 0, 1, 0, -1]);
  expect([...shape.end]).toEqual([4, 3, 3, 4, 5]);
  expect([...shape.failedBelow]).toEqual([2, 1, 0, 0, 0]);
  expect(ops.map((_, at) => hasChildren(shape, at))).toEqual([true, true, false, false, false]);
});

test('what is below something folded is not listed, and is again when one goes there', () => {
  const shape = shapeOf(ops);
  const folded = new Set(['a1', 'a']);
  expect(rowsOf(ops, shape, new Set())).toEqual([0, 1, 2, 3, 4]);
  expect(rowsOf(ops, shape, new Set(['a1']))).toEqual([0, 1, 3, 4]);
  expect(rowsOf(ops, shape, folded)).toEqual([0, 4]);
  expect(rowsOf(ops, shape, withAbove(ops, shape, folded, 2))).toEqual([0, 1, 2, 3, 4]);
  expect(withAbove(ops, shape, folded, 4)).toBe(folded);
});

test('the lines left of an operation go on while there is something of their level below', () => {
  const shape = shapeOf(ops);
  expect(ops.map((_, at) => guides(shape, ops, at))).toEqual([[], [true], [true, false], [false], []]);
});

test('a depth that jumps is below whatever came before', () => {
  expect([...shapeOf([op('a', 0), op('b', 3), op('c', 1)]).parent]).toEqual([-1, 0, 0]);
});

test('failures begin with the deepest, which is nearest to the cause', () => {
  expect(failures(ops)).toEqual([2, 3]);
});

test('the next of something is around the end', () => {
  expect([nextOf([2, 3], 2, 1), nextOf([2, 3], 3, 1), nextOf([2, 3], 2, -1), nextOf([], 0, 1)]).toEqual([3, 2, 3, undefined]);
});

test('a text is looked for in what was done, by whom and why it failed', () => {
  expect(matching(ops, 'DO A1')).toEqual([1, 2]);
  expect(matching(ops, '  ')).toEqual([]);
});

test('five thousand operations in a chain are read without a stack', () => {
  const chain = Array.from({ length: 5_000 }, (_, at) => op(String(at), at));
  const shape = shapeOf(chain);
  expect(shape.end[0]).toBe(5_000);
  expect(guides(shape, chain, 4_999)).toHaveLength(4_999);
});
