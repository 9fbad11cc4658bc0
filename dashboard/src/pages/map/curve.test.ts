import { expect, test } from 'vitest';
import { curveBetween, distanceTo, pointAt } from './curve';

const box = (x: number, y: number) => ({ x, y, width: 100, height: 40 });

test('a call forward leaves at the right and arrives at the left', () => {
  const curve = curveBetween(box(0, 0), box(300, 50));
  expect([curve[0], curve[6]]).toEqual([50, 250]);
});

test('a call back leaves at the left and arrives at the right', () => {
  const curve = curveBetween(box(300, 0), box(0, 0));
  expect([curve[0], curve[6]]).toEqual([250, 50]);
});

test('a call within a column bows out of it', () => {
  const curve = curveBetween(box(0, 0), box(0, 200));
  expect(pointAt(curve, 0.5)[0]).toBeGreaterThan(60);
});

test('a point on the curve is near it and one far away is not', () => {
  const curve = curveBetween(box(0, 0), box(300, 50));
  const [x, y] = pointAt(curve, 0.3);
  expect(distanceTo(curve, x, y + 1, 8)).toBeLessThan(2);
  expect(distanceTo(curve, x, y + 60, 8)).toBe(8);
});
