import { expect, test } from 'vitest';
import type { LogLine } from '@/api/types';
import { above, below, jsonl, newest } from './merge';

const line = (id: string, atMs: number): LogLine => ({
  id, at_unix_ms: atMs, level: 'info', service: 'orders', instance_id: '', source: 'sdk', message: id, fields: {}, trace_id: '', op_id: '',
});
const ids = (lines: readonly LogLine[]) => lines.map((it) => it.id).join('');

test('live lines go above by their time and each is there once', () => {
  const list = [line('c', 30), line('b', 20), line('a', 10)];
  expect(ids(above(list, [line('d', 40), line('c', 30)]))).toBe('dcba');
  expect(ids(above(list, [line('x', 25), line('y', 15)]))).toBe('cxbya');
  expect(above(list, [line('c', 30)])).toBe(list);
  expect(ids(above([], [line('a', 1), line('b', 2)]))).toBe('ba');
});

test('a page goes below, without what came live already', () => {
  expect(ids(below([line('b', 2)], [line('b', 2), line('a', 1)]))).toBe('ba');
});

test('a list does not grow without end, and says when something was left out', () => {
  expect(newest([line('b', 2), line('a', 1)], 1)).toEqual([[line('b', 2)], true]);
});

test('a file of lines has the newest last', () => {
  const text = jsonl([line('b', 2), line('a', 1)]);
  expect(text.trimEnd().split('\n').map((it) => (JSON.parse(it) as LogLine).id)).toEqual(['a', 'b']);
});

test('ten thousand lines take arrivals without looking at all of them twice', () => {
  const list = Array.from({ length: 10_000 }, (_, at) => line(String(at), 10_000 - at));
  const grown = above(list, [line('new', 20_000)]);
  expect(grown[0]?.id).toBe('new');
  expect(grown).toHaveLength(10_001);
});
