import { expect, test } from 'vitest';
import type { LogLine } from '@/api/types';
import { lookAround, SIDE_MAX, type Asker } from './around';

const line = (n: number, atMs: number): LogLine => ({
  id: String(n), at_unix_ms: atMs, level: 'info', service: 'orders', instance_id: 'i', source: 'sdk', message: '', fields: {}, trace_id: '', op_id: '',
});

/** Answers as the API does: newest first, both ends inclusive, in pages. */
function log(lines: LogLine[], asked: object[] = []): Asker {
  const sorted = [...lines].sort((a, b) => b.at_unix_ms - a.at_unix_ms || Number(b.id) - Number(a.id));
  return async (query) => {
    asked.push(query);
    const fits = sorted.filter((it) => it.at_unix_ms >= Number(query.since ?? 0) && it.at_unix_ms <= Number(query.until ?? Infinity));
    const from = Number(query.cursor ?? 0);
    const until = from + Number(query.limit);
    return { logs: fits.slice(from, until), next: until < fits.length ? String(until) : null };
  };
}

const ids = (lines: LogLine[]) => lines.map((it) => Number(it.id));

test('what is around a line is its neighbours, however far away they are', async () => {
  const lines = [line(1, 1_000), line(2, 100_000), line(3, 100_000), line(4, 4_000_000)];
  expect(ids(await lookAround(lines[1] as LogLine, log(lines)))).toEqual([1, 2, 3, 4]);
});

test('in a busy log the nearest are shown and not the newest', async () => {
  const lines = Array.from({ length: 4_000 }, (_, at) => line(at, at));
  const found = ids(await lookAround(lines[2_000] as LogLine, log(lines)));
  expect(found).toEqual(Array.from({ length: 2 * SIDE_MAX + 1 }, (_, at) => 2_000 - SIDE_MAX + at));
});

test('a flood is not read whole, and what is far away is not shown as near', async () => {
  const asked: object[] = [];
  const lines = Array.from({ length: 20_000 }, (_, at) => line(at, 1_000 + Math.floor(at / 1_000)));
  const found = ids(await lookAround(lines[5] as LogLine, log(lines, asked)));
  expect(asked.length).toBeLessThan(15);
  expect(found).toEqual([0, 1, 2, 3, 4, 5]);
});
