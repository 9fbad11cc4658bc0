import { describe, expect, it } from 'vitest';
import type { MetricLine } from '@/api/types';
import { align, drawn, fittingStep, formatOf, labelValues, namesFound, namesOf, readAsked, readLabels, statsOf, unitWords, writeLabels } from './series';

const line = (points: [number, number][], change: Partial<MetricLine> = {}): MetricLine => ({
  name: 'm', kind: 'gauge', unit: '1', service: 'orders', instance_id: '0000-11111111', labels: {}, points: points.map(([at_unix_ms, value]) => ({ at_unix_ms, value, max: value * 2 })), ...change,
});

describe('a grid', () => {
  it('has every step from the first point to the last, gaps as gaps', () => {
    const grid = align([line([[10, 1], [30, 3]]), line([[20, 5]])], 10, (it) => it.value);
    expect(grid.timesUnixMs).toEqual([10, 20, 30]);
    expect(grid.values).toEqual([[1, null, 3], [null, 5, null]]);
  });

  it('of nothing is empty', () => {
    expect(align([], 10, (it) => it.value)).toEqual({ timesUnixMs: [], values: [] });
    expect(align([line([])], 10, (it) => it.value)).toEqual({ timesUnixMs: [], values: [[]] });
  });

  it('shows peaks when they are asked for', () => {
    expect(align([line([[0, 1]])], 10, (it) => it.max).values).toEqual([[2]]);
  });
});

it('statistics leave gaps out', () => {
  expect(statsOf([null, 1, null, 3])).toEqual({ last: 3, min: 1, max: 3, mean: 2 });
  expect(statsOf([null])).toEqual({ last: null, min: null, max: null, mean: null });
});

describe('names', () => {
  it('say only what tells series apart', () => {
    const names = namesOf([line([], { labels: { a: '1', b: 'x' } }), line([], { labels: { a: '2', b: 'x' } })]);
    expect(names).toEqual(['a=1', 'a=2']);
  });

  it('begin with the quantile, and leave out keys that say nothing', () => {
    const labels = { 'http.request.method': 'GET', 'http.route': '/a' };
    const names = namesOf([line([], { labels: { ...labels, quantile: '0.95' } }), line([], { labels: { ...labels, 'http.route': '/b', quantile: '0.999' } }), line([], { labels })]);
    expect(names).toEqual(['p95 · /a', 'p99.9 · /b', 'mean · /a']);
  });

  it('are never empty', () => {
    expect(namesOf([line([])])).toEqual(['orders']);
  });

  it('tell instances and services apart without a key', () => {
    expect(namesOf([line([]), line([], { service: 'payments', instance_id: '22222222' })])).toEqual(['orders · 11111111', 'payments · 22222222']);
  });
});

it('labels to choose from are those of the series, but not quantiles', () => {
  const found = labelValues([line([], { labels: { b: '2', quantile: '0.5' } }), line([], { labels: { b: '1', a: 'z' } })]);
  expect([...found]).toEqual([['a', ['z']], ['b', ['1', '2']]]);
});

it('of too many series those with the highest values are drawn', () => {
  const many = Array.from({ length: 30 }, (_, at) => line([[0, at]], { service: `s${at}` }));
  expect(drawn(many, 2).map((it) => it.service)).toEqual(['s29', 's28']);
  expect(drawn(many, 30)).toHaveLength(30);
});

describe('units', () => {
  it('are written as people read them', () => {
    expect(formatOf('histogram', 's')(0.25)).toBe('250 ms');
    expect(formatOf('gauge', 'By')(2048)).toBe('2 KiB');
    expect(formatOf('counter', '1')(12.345)).toBe('12.3/s');
    expect(formatOf('counter', 'By')(2048)).toBe('2 KiB/s');
    expect(formatOf('gauge', '%')(12.34)).toBe('12.3 %');
    expect(formatOf('gauge', '{request}')(3)).toBe('3');
    expect(formatOf('gauge', 'm/s')(3)).toBe('3 m/s');
    expect(formatOf('gauge', '1')(null)).toBe('–');
  });

  it('have a word beside the name', () => {
    expect(unitWords('counter', '1')).toBe('per second');
    expect(unitWords('gauge', '{request}')).toBe('requests');
    expect(unitWords('histogram', 's')).toBe('seconds');
  });
});

describe('the URL', () => {
  it('keeps labels with any sign in them', () => {
    const labels = { 'http.route': '/a,b', x: 'a=b\\c' };
    expect(readLabels(writeLabels(labels))).toEqual(labels);
    expect(readLabels('')).toEqual({});
    expect(readLabels('nonsense,=x')).toEqual({});
  });

  it('says what is asked, and nothing that makes no sense', () => {
    const asked = readAsked(new URLSearchParams('name=m&quantiles=0.5,7&step=60&labels=a%3D1&show=peak'));
    expect(asked).toEqual({ name: 'm', service: '', labels: { a: '1' }, quantiles: ['0.5'], stepSeconds: 60, peak: true });
    expect(readAsked(new URLSearchParams('step=7')).stepSeconds).toBe(0);
  });
});

it('names are found by all words', () => {
  const names = ['http.server.request.duration', 'process.rss'].map((name) => ({ name, kind: 'gauge' as const, unit: '1', series: 1 }));
  expect(namesFound(names, 'HTTP dur').map((it) => it.name)).toEqual(['http.server.request.duration']);
  expect(namesFound(names, '')).toHaveLength(2);
});

it('a step is asked for where an answer would be large, and keeps it below twenty thousand points', () => {
  const hour = 3_600_000;
  expect([fittingStep(1, 4, hour), fittingStep(66, 0, hour), fittingStep(0, 0, hour)]).toEqual([0, 0, 0]);
  for (const [series, quantiles, spanMs] of [[67, 0, hour], [1_000, 0, hour], [1_000, 4, 14 * 24 * hour], [90_000, 3, hour], [200, 2, 300_000]] as const) {
    const step = fittingStep(series, quantiles, spanMs);
    // As the runtime rounds: to ten seconds, and a span may touch one step more than it has.
    const points = Math.floor(spanMs / (Math.ceil(step / 10) * 10_000)) + 1;
    expect(Math.min(1_000, series) * (1 + quantiles) * points).toBeLessThanOrEqual(20_000);
  }
});
