import { expect, test } from 'vitest';
import type { Link, LiveService } from '@/api/types';
import { distances, drawGraph, neighbourhood, shapeOf, type Wish } from './graph';
import { pairKey } from './model';

const service = (name: string, instances = 1): LiveService => ({
  id: name,
  name,
  status: 'active',
  methods: [],
  instances: Array.from({ length: instances }, (_, at) => ({ id: `${name}${at}`, status: 'connected', call_endpoint: '', http_endpoint: '', sdk: '', unhealthy_since_unix_ms: 0 })),
});
const link = (from: string, to: string, more: Partial<Link> = {}): Link => ({ from, to, methods: ['rpc Do'], declared: true, live: true, ...more });
const plain: Wish = { grouped: false, open: new Set(), focus: null, hops: 1, absent: false };
const ids = (nodes: { id: string }[]) => nodes.map((it) => it.id).sort();

test('whoever is outside and whoever is called without being registered are nodes too', () => {
  const graph = drawGraph([service('web')], [link('', 'web'), link('web', 'mainframe')], plain);
  expect(graph.nodes.map((it) => [it.id, it.role])).toEqual([
    ['s:web', 'service'],
    ['outside', 'outside'],
    ['s:mainframe', 'ghost'],
  ]);
});

test('a service without an instance is left out unless somebody calls it or it is asked for', () => {
  const services = [service('web'), service('idle', 0), service('down', 0)];
  const links = [link('web', 'down')];
  expect(ids(drawGraph(services, links, plain).nodes)).toEqual(['s:down', 's:web']);
  expect(drawGraph(services, links, plain).absent).toBe(1);
  expect(ids(drawGraph(services, links, { ...plain, absent: true }).nodes)).toEqual(['s:down', 's:idle', 's:web']);
});

test('links of a closed group become one, with all their pairs, and calls inside of it disappear', () => {
  const services = ['orders-api', 'orders-worker', 'web'].map((it) => service(it));
  const links = [link('web', 'orders-api'), link('web', 'orders-worker', { live: false, methods: ['http GET /', 'rpc Do'] }), link('orders-api', 'orders-worker')];
  const graph = drawGraph(services, links, { ...plain, grouped: true });
  expect(ids(graph.nodes)).toEqual(['g:orders', 's:web']);
  expect(graph.links).toHaveLength(1);
  expect(graph.links[0]).toMatchObject({ id: 's:web>g:orders', methods: 3, live: false, kinds: ['rpc', 'http'], pairs: [pairKey('web', 'orders-api'), pairKey('web', 'orders-worker')] });
});

test('an open group shows its members and the calls between them', () => {
  const services = ['orders-api', 'orders-worker', 'web'].map((it) => service(it));
  const graph = drawGraph(services, [link('web', 'orders-api'), link('orders-api', 'orders-worker')], { ...plain, grouped: true, open: new Set(['orders']) });
  expect(graph.inside.get('g:orders')).toEqual(['s:orders-api', 's:orders-worker']);
  expect(ids(graph.links)).toEqual(['s:orders-api>s:orders-worker', 's:web>s:orders-api']);
});

test('a focus keeps who is near, in both directions, and nothing else', () => {
  const links = [link('a', 'b'), link('b', 'c'), link('c', 'd')];
  expect([...neighbourhood(links, 'b', 1)].sort()).toEqual(['a', 'b', 'c']);
  expect([...neighbourhood(links, 'b', 2)].sort()).toEqual(['a', 'b', 'c', 'd']);
  const graph = drawGraph(['a', 'b', 'c', 'd'].map((it) => service(it)), links, { ...plain, focus: 'b' });
  expect(ids(graph.nodes)).toEqual(['s:a', 's:b', 's:c']);
});

test('distances count calls in either direction', () => {
  const graph = drawGraph(['a', 'b', 'c'].map((it) => service(it)), [link('a', 'b'), link('c', 'b')], plain);
  expect([...distances(graph.links, 's:a')]).toEqual([
    ['s:a', 0],
    ['s:b', 1],
    ['s:c', 2],
  ]);
});

test('the shape is the same whatever the order, health and methods are', () => {
  const one = drawGraph([service('a'), service('b')], [link('a', 'b')], plain);
  const two = drawGraph([service('b', 3), service('a')], [link('a', 'b', { live: false, methods: ['rpc X', 'rpc Y'] })], plain);
  const three = drawGraph([service('a'), service('b')], [link('b', 'a')], plain);
  expect(shapeOf(one)).toBe(shapeOf(two));
  expect(shapeOf(one)).not.toBe(shapeOf(three));
});
