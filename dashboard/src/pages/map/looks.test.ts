import { expect, test } from 'vitest';
import type { Load } from '@/api/types';
import type { Curve } from './curve';
import { lookOf, pictureOf, widthStep, type Line } from './looks';
import { OUTSIDE_ID, type MapLink } from './model';

const load = (per_second: number, errors = 0): Load => ({ count: per_second * 60, errors, per_second, p50_ms: 1, p95_ms: 2, p99_ms: 3 });
const line = (id: string, it: Load | null, more: Partial<MapLink> = {}): Line => ({
  link: { id, from: 'a', to: 'b', pairs: [], methods: 1, declared: false, live: true, kinds: [], ...more },
  curve: [0, 0, 1, 0, 2, 0, 3, 0] as Curve,
  load: it,
});

test('width grows with the rate, slowly, and has an end', () => {
  const steps = [0, 0.1, 3, 30, 300, 1e6].map(widthStep);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect([steps[0], steps.at(-1)]).toEqual([0, 5]);
});

test('what was declared and is not called is dashed, and what is called and was not declared is dotted', () => {
  const dash = (it: Load | null, more: Partial<MapLink>) => lookOf(line('1', it, more), 'normal', 1).dash;
  expect(dash(null, { declared: true })).toBe('long');
  expect(dash(load(1), { declared: true })).toBe('none');
  expect(dash(load(1), { declared: false })).toBe('dots');
  expect(dash(null, { declared: false })).toBe('none');
  expect(dash(load(1), { declared: false, from: OUTSIDE_ID })).toBe('none');
});

test('what is chosen is lit in the accent, but failures keep their colour', () => {
  expect(lookOf(line('1', load(1)), 'lit', 1)).toMatchObject({ token: '--accent', alpha: 1 });
  expect(lookOf(line('1', load(1, 30)), 'lit', 1).token).toBe('--bad');
});

test('among many calls those that carry little step back', () => {
  const [quiet, busy] = [line('1', load(0.02)), line('2', load(500))];
  expect(lookOf(quiet, 'normal', 1000).alpha).toBeLessThan(lookOf(quiet, 'normal', 10).alpha);
  expect(lookOf(busy, 'normal', 1000).alpha).toBeGreaterThan(0.7);
});

test('lines that look the same are one stroke, faint ones first, and labels tell the busiest', () => {
  const lines = [line('1', load(2)), line('2', load(2)), line('3', null), line('4', load(900))];
  const picture = pictureOf(lines, [{ x: 1, y: 2, width: 3, height: 4 }], () => 'normal');
  expect(picture.curves.map((it) => it.length)).toEqual([8, 16, 8]);
  expect(picture.labels.map((it) => it.text)).toEqual(['900/s', '2/s', '2/s']);
  expect([...picture.solid]).toEqual([1, 2, 3, 4]);
});
