import { expect, test } from 'vitest';
import type { EndedOp, TraceLine } from '@/api/types';
import { countNew, fromRoots, merge, newest } from './merge';

function line(id: string, startedMs: number, ops = 3): TraceLine {
  return { trace_id: id, subject: 's', service: 'orders', channel: 'http', errors: 0, started_at_unix_ms: startedMs, duration_ms: 1, ops, status: 'SUCCESS', running: false };
}

test('live and paged traces are one list, newest first and each once', () => {
  const list = merge([line('b', 2), line('a', 1)], [line('c', 3), line('b', 2)]);
  expect(list.map((it) => it.trace_id)).toEqual(['c', 'b', 'a']);
});

test('a page knows more than the end of a root, whichever comes first', () => {
  expect(merge([line('a', 1, 0)], [line('a', 1, 5)])[0]?.ops).toBe(5);
  expect(merge([line('a', 1, 5)], [line('a', 1, 0)])[0]?.ops).toBe(5);
});

test('the end of a root says how a trace went that was told before it ended', () => {
  const early = { ...line('a', 5, 2), subject: 'child', running: true };
  const root = { ...line('a', 1, 0), subject: 'root', status: 'ERROR' as const };
  expect(merge([early], [root])).toEqual([{ ...root, ops: 2, running: false }]);
  expect(merge([line('a', 1, 2)], [{ ...root, started_at_unix_ms: 9 }])[0]?.subject).toBe('s');
});

test('traces of one moment are in the order of the API', () => {
  expect(merge([], [line('a', 1), line('c', 1), line('b', 1)]).map((it) => it.trace_id)).toEqual(['c', 'b', 'a']);
});

test('only roots begin a line', () => {
  const op = { trace_id: 't', op_id: 'o', channel: 'http', subject: 's', service: 'orders', started_at_unix_ms: 1, duration_ms: 2, status: 'ERROR' };
  const lines = fromRoots([{ ...op, parent_op_id: null }, { ...op, parent_op_id: 'p' }] as EndedOp[]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ trace_id: 't', ops: 0, status: 'ERROR', channel: 'http' });
});

test('a list does not grow without end, and says when something was left out', () => {
  expect(newest([line('b', 2), line('a', 1)], 1)).toEqual([[line('b', 2)], true]);
  expect(newest([line('b', 2)], 1)[1]).toBe(false);
  expect(countNew([line('a', 1)], [line('a', 1), line('b', 2)])).toBe(1);
});
