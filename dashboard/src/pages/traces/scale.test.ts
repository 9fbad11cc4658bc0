import { expect, test } from 'vitest';
import { axisWord, moved, placeOf, roundStep, scaleOf, shownAt, silences, ticks, timeOf, WHOLE, zoomed, zoomTo } from './scale';

const busy = [{ from: 1_000, to: 1_040 }, { from: 1_010, to: 1_020 }];
const hours = [...busy, { from: 7_201_000, to: 7_201_040 }];

test('without silences the scale is straight', () => {
  const scale = scaleOf(busy, true);
  expect([placeOf(scale, 1_000), placeOf(scale, 1_020), placeOf(scale, 1_040)]).toEqual([0, 0.5, 1]);
  expect(scale.gaps).toEqual([]);
});

test('a trace within one millisecond is a millisecond long, and no operations are no fault', () => {
  expect(placeOf(scaleOf([{ from: 5, to: 5 }], true), 5)).toBe(0);
  expect(scaleOf([], true)).toMatchObject({ from: 0, to: 1 });
});

test('a silence of hours takes little room, and what was busy the rest', () => {
  const scale = scaleOf(hours, true);
  expect(scale.gaps).toHaveLength(1);
  expect(placeOf(scale, 1_040)).toBeCloseTo(0.46);
  expect(placeOf(scale, 7_201_000)).toBeCloseTo(0.54);
  expect(timeOf(scale, placeOf(scale, 7_201_010))).toBeCloseTo(7_201_010);
  expect(scaleOf(hours, false).gaps).toEqual([]);
});

test('only spans in which nothing at all ran are silences', () => {
  expect(silences([{ from: 0, to: 100 }, { from: 10, to: 20 }, { from: 90, to: 95 }], 1)).toEqual([]);
  expect(silences([{ from: 0, to: 10 }, { from: 50, to: 60 }], 1)).toEqual([{ from: 10, to: 50 }]);
});

test('zooming keeps what is under the pointer and stops at the ends', () => {
  const near = zoomed(WHOLE, 0.5, 0.25);
  expect(near.from + (near.to - near.from) * 0.25).toBeCloseTo(0.25);
  expect(zoomed(near, 100, 0.9)).toEqual(WHOLE);
  expect(moved(near, 5)).toEqual({ from: 0.5, to: 1 });
  expect(zoomTo(0.6, 0.4)).toEqual({ from: 0.4, to: 0.6 });
  expect(zoomTo(0, 0.1, 0.5).from).toBe(0);
});

test('what is shown is between 0 and 1', () => {
  const scale = scaleOf(busy, true);
  expect(shownAt(scale, { from: 0.5, to: 1 }, 1_030)).toBeCloseTo(0.5);
});

test('lines of the axis are at round times and none is inside a silence', () => {
  expect(ticks(scaleOf(busy, true), WHOLE, 4).ticks.map((it) => it.afterMs)).toEqual([0, 10, 20, 30, 40]);
  const scale = scaleOf(hours, true);
  const inside = ticks(scale, WHOLE, 8).ticks.filter((it) => it.afterMs > 40 && it.afterMs < 7_200_000);
  expect(inside).toEqual([]);
  expect(ticks(scale, WHOLE, 8).ticks.length).toBeLessThanOrEqual(32);
});

test('a time on the axis tells apart what the step tells apart', () => {
  expect([axisWord(0, 10), axisWord(20, 10), axisWord(0.25, 0.05), axisWord(1_250, 50), axisWord(15_000, 5_000)]).toEqual(['0', '20 ms', '0.25 ms', '1.25 s', '15 s']);
  expect([axisWord(75_000, 15_000), axisWord(7_215_000, 15_000), axisWord(7_215_250, 50)]).toEqual(['1:15', '2:00:15', '2:00:15.25']);
});

test('steps are round, also below a millisecond and above a day', () => {
  expect([0.003, 0.4, 3, 700, 61_000, 90_000_000].map(roundStep)).toEqual([0.005, 0.5, 5, 1_000, 120_000, 172_800_000]);
});
