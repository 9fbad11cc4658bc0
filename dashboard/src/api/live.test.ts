import { expect, test } from 'vitest';
import { backoffMs, changed, streamUrl } from './live';
import type { LiveEvents, LiveService } from './types';

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

test('a change is of the map before it, and leaves everything else the same object', () => {
  const service = (name: string): LiveService => ({ id: name, name, status: 'active', instances: [], methods: [] });
  const link = { from: 'orders', to: 'desk', methods: [], declared: true, live: true };
  const map: LiveEvents['map'] = { sequence: 7, services: [service('desk'), service('orders')], links: [link] };
  const revoked: LiveService = { ...service('orders'), status: 'revoked' };
  const now = changed(map, { sequence: 9, of: 7, services: [[1, revoked]], links: [] });
  expect(now).toEqual({ sequence: 9, services: [map.services[0], revoked], links: [link] });
  expect(now?.services[0]).toBe(map.services[0]);
  expect(map.services[1]?.status).toBe('active');
  expect(changed(map, { sequence: 9, of: 8, services: [], links: [] })).toBeNull();
  expect(changed(null, { sequence: 9, of: 8, services: [], links: [] })).toBeNull();
});
