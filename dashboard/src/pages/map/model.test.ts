import { expect, test } from 'vitest';
import type { Load, LiveService } from '@/api/types';
import { errorTone, pairKey, readLoads, sameNode, stateOf, sumLoads, type MapNode } from './model';

const load = (count: number, errors: number, p95_ms = 10): Load => ({ count, errors, per_second: count / 60, p50_ms: 5, p95_ms, p99_ms: 20 });

test('loads add up, and the worst percentile is shown', () => {
  expect(sumLoads([load(60, 1, 10), null, load(120, 2, 40), undefined])).toMatchObject({ count: 180, errors: 3, per_second: 3, p95_ms: 40 });
  expect(sumLoads([null, undefined])).toBeNull();
});

test('few failures among few calls do not alarm, and many do', () => {
  expect([load(10, 0), load(10, 1), load(20, 2), load(30, 3), load(1000, 15), load(0, 0)].map(errorTone)).toEqual(['ok', 'ok', 'warn', 'bad', 'warn', 'idle']);
  expect(errorTone(load(1, 1))).toBe('warn');
});

test('rows are read by their index and unknown indexes are dropped', () => {
  const services = [{ name: 'a' }, { name: 'b' }] as LiveService[];
  const links = [{ from: '', to: 'a', methods: [], declared: false, live: true }];
  const found = readLoads(services, links, { services: [[1, 60, 6, 1, 2, 3, 4], [7, 1, 1, 1, 1, 1, 1]], links: [[0, 30, 0, 0.5, 1, 2, 3]] });
  expect([...found.services]).toEqual([['b', { count: 60, errors: 6, per_second: 1, p50_ms: 2, p95_ms: 3, p99_ms: 4 }]]);
  expect(found.links.get(pairKey('', 'a'))?.per_second).toBe(0.5);
});

test('the worst state of the instances is told, with how many', () => {
  const instance = (health: string, status = 'connected') => ({ status, health, unhealthy_since_unix_ms: 0 });
  const of = (...instances: object[]) => stateOf('service', [{ name: 'a', service: { name: 'a', status: 'active', instances } as unknown as LiveService }]);
  expect(of()).toEqual(['idle', 'no instance runs']);
  expect(of(instance('healthy'), instance('healthy'))).toEqual(['ok', 'healthy']);
  expect(of(instance('healthy'), instance('draining'))).toEqual(['warn', '1 of 2 draining']);
  expect(of(instance('unhealthy'), instance('draining'))).toEqual(['bad', '1 of 2 unhealthy']);
  expect(of(instance('healthy', 'returning'))).toEqual(['warn', 'returning']);
});

test('a node is drawn anew when its look or one of its services changed', () => {
  const service = { name: 'a' } as LiveService;
  const node: MapNode = { id: 's:a', role: 'service', title: 'a', members: [{ name: 'a', service }], open: false, width: 1, height: 1 };
  expect(sameNode(node, { ...node, members: [{ name: 'a', service }] })).toBe(true);
  const others: MapNode[] = [{ ...node, open: true }, { ...node, short: 'a' }, { ...node, members: [] }, { ...node, members: [{ name: 'a', service: { ...service } }] }];
  expect(others.map((it) => sameNode(node, it))).toEqual([false, false, false, false]);
});
