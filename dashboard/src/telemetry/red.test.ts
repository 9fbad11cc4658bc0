import { describe, expect, it } from 'vitest';
import type { Red } from '@/api/types';
import { errorLook, isFailing, linesOf, searchWords } from './red';

const red = (change: Partial<Red> = {}): Red => ({ count: 100, errors: 0, per_second: 1, p50_ms: 1, p95_ms: 2, p99_ms: 3, points: [], ...change });

describe('lines', () => {
  it('have a gap where nothing ended, and a rate of zero', () => {
    const points = [
      { at_unix_ms: 0, count: 20, errors: 5, p50_ms: 1, p95_ms: 2 },
      { at_unix_ms: 10_000, count: 0, errors: 0, p50_ms: 0, p95_ms: 0 },
    ];
    const lines = linesOf(red({ points }), 10_000, 60_000);
    expect(lines.calls).toEqual([2, 0]);
    expect(lines.errorPercent).toEqual([25, null]);
    expect(lines.p95).toEqual([2, null]);
  });

  it('count a step that goes on over the part that is over', () => {
    const points = [{ at_unix_ms: 50_000, count: 20, errors: 0, p50_ms: 1, p95_ms: 2 }];
    expect(linesOf(red({ points }), 10_000, 54_000).calls).toEqual([5]);
    expect(linesOf(red({ points }), 10_000, 50_001).calls).toEqual([20]);
  });

  it('leave out a step that has just begun', () => {
    const points = [40_000, 50_000].map((at_unix_ms) => ({ at_unix_ms, count: 20, errors: 0, p50_ms: 1, p95_ms: 2 }));
    expect(linesOf(red({ points }), 10_000, 52_999).timesUnixMs).toEqual([40_000]);
    expect(linesOf(red({ points }), 10_000, 53_000).timesUnixMs).toEqual([40_000, 50_000]);
  });
});

it('words of a route leave its parameters out', () => {
  expect(searchWords('GET /v1/orders/{id}/lines')).toBe('GET v1 orders lines');
  expect(searchWords('inventory.Reserve')).toBe('inventory Reserve');
});

it('failures are marked from one of a hundred on', () => {
  expect(isFailing({ count: 100, errors: 1 })).toBe(true);
  expect(isFailing({ count: 101, errors: 1 })).toBe(false);
  expect(isFailing(null)).toBe(false);
  expect([errorLook({ count: 9, errors: 9 }), errorLook({ count: 1000, errors: 1 }), errorLook({ count: 9, errors: 0 }), errorLook(null)]).toEqual(['bad', '', 'dim', 'dim']);
});
