import { describe, expect, it } from 'vitest';
import type { Red, RedPage } from '@/api/types';
import { badness, barsOf, cardNamed, cardsOf, type CardFilter } from './red';

const red = (change: Partial<Red> = {}): Red => ({ count: 100, errors: 0, per_second: 1, p50_ms: 1, p95_ms: 2, p99_ms: 3, points: [], ...change });
const page: RedPage = {
  window_ms: 300_000, step_ms: 10_000,
  services: [
    { service: 'orders', total: red({ count: 30 }), routes: [{ kind: 'http', name: 'GET /orders/{id}', red: red({ count: 20 }) }, { kind: 'rpc', name: 'Find', red: red({ count: 10, errors: 5 }) }] },
    { service: 'payments', total: red({ count: 90, errors: 1, p95_ms: 50 }), routes: [{ kind: 'rpc', name: 'Charge', red: red({ count: 90, p95_ms: 50 }) }] },
  ],
};
const filter = (change: Partial<CardFilter> = {}): CardFilter => ({ by: 'services', service: '', words: '', sort: 'worst', ...change });
const keys = (change: Partial<CardFilter>) => cardsOf(page, filter(change)).map((it) => it.key);

describe('cards', () => {
  it('are services or routes, of one service or all', () => {
    expect(keys({})).toEqual(['payments', 'orders']);
    expect(keys({ by: 'routes', service: 'orders' })).toEqual(['orders rpc Find', 'orders http GET /orders/{id}']);
    expect(keys({ by: 'routes', words: 'CHARGE pay' })).toEqual(['payments rpc Charge']);
  });

  it('are in the order that was asked for', () => {
    expect(keys({ sort: 'traffic' })).toEqual(['payments', 'orders']);
    expect(keys({ sort: 'name' })).toEqual(['orders', 'payments']);
    expect(keys({ by: 'routes', sort: 'slow' })[0]).toBe('payments rpc Charge');
  });

  it('put fifty failures of a thousand above one of one', () => {
    expect(badness({ count: 1000, errors: 200 })).toBeGreaterThan(badness({ count: 1, errors: 1 }) * 0.8);
    expect(badness({ count: 1000, errors: 500 })).toBeGreaterThan(badness({ count: 1, errors: 1 }));
    expect(badness({ count: 10, errors: 0 })).toBe(0);
    expect(badness({ count: 0, errors: 0 })).toBe(0);
  });

  it('are found by what the URL names', () => {
    expect(cardNamed(page, 'orders', 'rpc Find')?.red.errors).toBe(5);
    expect(cardNamed(page, 'orders', '')?.route).toBeUndefined();
    expect(cardNamed(page, 'orders', 'rpc Gone')).toBeUndefined();
    expect(cardNamed(page, 'gone', '')).toBeUndefined();
  });
});

describe('bars', () => {
  it('fill what lies between two buckets', () => {
    const bars = barsOf([{ up_to_ms: 1, count: 1 }, { up_to_ms: 2, count: 3 }]);
    expect(bars.map((it) => it.count)).toEqual([1, 0, 3]);
    expect(bars[0]).toMatchObject({ fromMs: 0, toMs: 1, below: 25 });
    expect(bars[2]).toMatchObject({ toMs: 2, height: 1, below: 100 });
    expect(bars[1]!.toMs).toBeCloseTo(bars[2]!.fromMs);
  });

  it('are none without a histogram', () => {
    expect(barsOf(undefined)).toEqual([]);
    expect(barsOf([])).toEqual([]);
  });

  it('stay few however far apart the buckets are', () => {
    expect(barsOf([{ up_to_ms: 1, count: 1 }, { up_to_ms: 1e30, count: 1 }]).length).toBeLessThan(100);
  });
});
