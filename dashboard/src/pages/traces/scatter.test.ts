import { expect, test } from 'vitest';
import type { TraceLine } from '@/api/types';
import { brushed, decades, durationAt, nearest, planeOf, quantile, sample, timeAt, xOf, yOf } from './scatter';

const box = { width: 400, height: 100 };

function line(id: string, startedMs: number, ms: number, status: TraceLine['status'] = 'SUCCESS'): TraceLine {
  return { trace_id: id, subject: 's', service: 'orders', channel: 'http', errors: 0, started_at_unix_ms: startedMs, duration_ms: ms, ops: 1, status, running: false };
}

test('places and values turn into each other', () => {
  const plane = planeOf([line('a', 1_000, 1), line('b', 2_000, 900)], box);
  expect(timeAt(plane, xOf(plane, 1_250))).toBeCloseTo(1_250);
  expect(durationAt(plane, yOf(plane, 30))).toBeCloseTo(30);
  expect(yOf(plane, 900)).toBeLessThan(yOf(plane, 1));
  expect(decades(plane)).toEqual([1, 10, 100, 1_000]);
});

test('one trace, or none, has a plane too', () => {
  for (const lines of [[], [line('a', 5, 0)]]) {
    const plane = planeOf(lines, box, { fromMs: 0, toMs: 10 });
    expect(xOf(plane, 5)).toBe(200);
    expect(yOf(plane, 0)).toBeGreaterThan(0);
    expect(yOf(plane, 0)).toBeLessThan(box.height);
  }
});

test('of too many, the failed and the slow stay', () => {
  const lines = Array.from({ length: 5_000 }, (_, at) => line(String(at), at, at === 77 ? 90_000 : 1, at === 99 ? 'ERROR' : 'SUCCESS'));
  const kept = sample(lines, 500);
  expect(kept).toHaveLength(500);
  expect(kept.map((it) => it.trace_id)).toEqual(expect.arrayContaining(['77', '99']));
  expect(sample(lines.slice(0, 10), 500)).toHaveLength(10);
});

test('the nearest point is found within reach only', () => {
  const lines = [line('a', 0, 1), line('b', 1_000, 100)];
  const plane = planeOf(lines, box);
  expect(nearest(lines, plane, xOf(plane, 1_000) + 3, yOf(plane, 100), 8)?.trace_id).toBe('b');
  expect(nearest(lines, plane, 200, 50, 8)).toBeUndefined();
});

test('a flat or tall brush is a span of time, a frame is one of durations too', () => {
  const plane = planeOf([line('a', 0, 1), line('b', 1_000, 1_000)], box);
  expect(brushed(plane, { x: 300, y: 50 }, { x: 100, y: 52 })).toEqual({ since: 250, until: 750 });
  expect(brushed(plane, { x: 100, y: 0 }, { x: 300, y: 99 })).toEqual({ since: 250, until: 750 });
  const frame = brushed(plane, { x: 100, y: 20 }, { x: 300, y: 60 });
  expect(frame.minMs).toBeLessThan(frame.maxMs as number);
});

test('quantiles of few are one of them', () => {
  expect([quantile([1, 2, 3, 4], 0.5), quantile([7], 0.95), quantile([], 0.5)]).toEqual([2, 7, undefined]);
});
