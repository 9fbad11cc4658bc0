import { expect, test } from 'vitest';
import { backoffMs, streamUrl } from './live';

test('one stream carries what all want, in one order, without what is empty', () => {
  const url = streamUrl([
    { topics: ['ops'], query: { service: 'orders', text: '' }, on: {} },
    { topics: ['map', 'ops'], query: { window_ms: 60_000 }, on: {} },
  ]);
  expect(url).toBe('/api/v1/live?service=orders&window_ms=60000&topics=map%2Cops');
});

test('nobody who wants anything still gets a heartbeat', () => {
  expect(streamUrl([])).toBe('/api/v1/live');
});

test('waits double up to fifteen seconds, and are spread', () => {
  expect([0, 1, 2, 10, 99].map((it) => backoffMs(it, 0.5))).toEqual([500, 1000, 2000, 15_000, 15_000]);
  expect(backoffMs(0, 0)).toBeLessThan(backoffMs(0, 1));
});
