import { describe, expect, it } from 'vitest';
import type { LiveService, ServiceMethod, ServiceSummary } from '@/api/types';
import { drifts, loadsOf, methodGroups, redOf, rowsOf, serviceNameFault, snippets, sorted, standing, stateOf } from './model';

const summary = (name: string, change: Partial<ServiceSummary> = {}): ServiceSummary => ({ id: name, name, status: 'active', keys: 1, instances: 0, created_at_unix_ms: 1, ...change });
const instance = (change = {}) => ({ id: 'i', status: 'connected' as const, call_endpoint: '', http_endpoint: '', sdk: '', unhealthy_since_unix_ms: 0, ...change });
const live = (name: string, change: Partial<LiveService> = {}): LiveService => ({ id: name, name, status: 'active', instances: [], methods: [], ...change });
const method = (change: Partial<ServiceMethod>): ServiceMethod => ({
  kind: 'rpc', name: 'Reserve', contract_hash: 'a', instances: 1, streaming: false, published: false, input_schema: null, output_schema: null, served: null, ...change,
});

describe('a name', () => {
  it('is refused as the runtime refuses it', () => {
    expect(serviceNameFault('orders-api_2')).toBeNull();
    expect(serviceNameFault('')).toBe('Enter a name.');
    expect(serviceNameFault('2orders')).toContain('letter');
    expect(serviceNameFault('Orders')).toContain('lower-case');
    expect(serviceNameFault('a'.repeat(63))).toBeNull();
    expect(serviceNameFault('a'.repeat(64))).toContain('63');
  });
});

describe('the list', () => {
  it('joins what is stored with what goes on', () => {
    const map = [live('orders', { instances: [instance(), instance({ unhealthy_since_unix_ms: 5 })], methods: [method({}), method({ contract_hash: 'b' })] })];
    const loads = loadsOf(map, [[0, 60, 6, 1, 2, 3, 4], [7, 1, 1, 1, 1, 1, 1]]);
    const [orders, other] = rowsOf([summary('orders'), summary('other')], map, loads);
    expect(orders).toMatchObject({ instances: 2, methods: 1, states: { healthy: 1, unhealthy: 1 }, load: { count: 60, p95_ms: 3 } });
    expect(other).toMatchObject({ instances: 0, load: null });
  });

  it('does not say zero while nothing is known', () => {
    const [it] = rowsOf([summary('orders', { instances: 3 })], null, null);
    expect(it).toMatchObject({ instances: 3, load: undefined });
  });

  it('shows a service that only the map knows yet, and its newer status', () => {
    const rows = rowsOf([summary('orders')], [live('fresh'), live('orders', { status: 'revoked' })], null);
    expect(rows.map((it) => [it.summary.name, it.summary.status])).toEqual([['orders', 'revoked'], ['fresh', 'active']]);
  });

  it('says the worst first', () => {
    const of = (instances: object[], status: 'active' | 'revoked' = 'active') => standing(rowsOf([summary('x')], [live('x', { status, instances: instances.map((it) => instance(it)) })], null)[0]!);
    expect(of([]).word).toBe('no instance');
    expect(of([{}, { health: 'draining' }])).toEqual({ tone: 'warn', word: 'draining' });
    expect(of([{}, { health: 'unhealthy' }])).toEqual({ tone: 'warn', word: '1 unhealthy' });
    expect(of([{ health: 'unhealthy' }])).toEqual({ tone: 'bad', word: 'unhealthy' });
    expect(of([{}], 'revoked').word).toBe('revoked');
    expect(stateOf(instance({ status: 'returning', health: 'unhealthy' }))).toBe('returning');
  });

  it('is sorted without ties, services without traffic last', () => {
    const rows = rowsOf([summary('c'), summary('b'), summary('a')], [], new Map([['b', { count: 10, errors: 1, per_second: 1, p50_ms: 1, p95_ms: 9, p99_ms: 9 }]]));
    expect(sorted(rows, 'name', false).map((it) => it.summary.name)).toEqual(['a', 'b', 'c']);
    expect(sorted(rows, 'p95', true).map((it) => it.summary.name)).toEqual(['b', 'a', 'c']);
  });
});

describe('methods', () => {
  it('of one name and two contracts are one that drifts', () => {
    const [group] = methodGroups([method({ contract_hash: 'a', instances: 1 }), method({ contract_hash: 'b', instances: 2 })]);
    expect(group!.versions.map((it) => it.contract_hash)).toEqual(['b', 'a']);
    expect(drifts(group!)).toBe(true);
    expect(drifts(methodGroups([method({})])[0]!)).toBe(false);
  });

  it('are by kind, requests by path, published events beside handled ones', () => {
    const names = methodGroups([
      method({}), method({ kind: 'http', name: 'POST /a' }), method({ kind: 'http', name: 'GET /b' }), method({ kind: 'http', name: 'GET /a' }),
      method({ kind: 'event', name: 'x', published: true }), method({ kind: 'event', name: 'x' }),
    ]).map((it) => it.key);
    expect(names).toEqual(['http GET /a', 'http POST /a', 'http GET /b', 'rpc Reserve', 'event x', 'event publishes x']);
  });

  it('find what was counted of them', () => {
    const red = { count: 1, errors: 0, per_second: 1, p50_ms: 1, p95_ms: 1, p99_ms: 1, points: [] };
    expect(redOf([{ kind: 'rpc', name: 'Reserve', red }], 'rpc', 'Reserve')?.red).toBe(red);
    expect(redOf([{ kind: 'http', name: 'Reserve', red }], 'rpc', 'Reserve')).toBeUndefined();
    expect(redOf(null, 'rpc', 'Reserve')).toBeUndefined();
  });
});

it('snippets carry key and address, and the name as it must be given', () => {
  const it = snippets('orders', 'k1', 'host:14445');
  expect(it.env).toBe('export BRIDGE_URL=host:14445\nexport BRIDGE_KEY=k1');
  expect(it.rust).toContain('Bridge::from_env("orders")');
  expect(it.other).toContain('SERVICEBRIDGE_SERVICE_KEY=k1');
});
