import { expect, test } from 'vitest';
import { fit, K_MAX, nextBox, reveal, zoomAt } from './camera';

const stage = { width: 800, height: 600 };

test('what is under the pointer stays there while one zooms', () => {
  const before = { left: 40, top: -30, k: 0.8 };
  const world = [(300 - before.left) / before.k, (200 - before.top) / before.k] as const;
  const after = zoomAt(before, 300, 200, 1.7);
  expect(world[0] * after.k + after.left).toBeCloseTo(300);
  expect(world[1] * after.k + after.top).toBeCloseTo(200);
  expect(zoomAt(before, 0, 0, 100).k).toBe(K_MAX);
});

test('everything fits, in the middle', () => {
  const camera = fit({ left: -1000, top: -100, right: 1000, bottom: 100 }, stage);
  expect(-1000 * camera.k + camera.left).toBeGreaterThanOrEqual(39);
  expect(1000 * camera.k + camera.left).toBeLessThanOrEqual(761);
  expect(camera.top).toBeCloseTo(300);
});

test('a box in view moves nothing, one outside moves just as far as needed', () => {
  const camera = { left: 0, top: 0, k: 1 };
  expect(reveal(camera, { x: 400, y: 300, width: 100, height: 50 }, stage)).toBe(camera);
  expect(reveal(camera, { x: 900, y: 300, width: 100, height: 50 }, stage)).toEqual({ left: -190, top: 0, k: 1 });
});

test('arrows go to what is straight ahead rather than to what is merely near', () => {
  const boxes = [
    { id: 'ahead', x: 200, y: 0 },
    { id: 'aside', x: 120, y: 110 },
    { id: 'behind', x: -50, y: 0 },
  ];
  expect(nextBox({ x: 0, y: 0 }, boxes, 1, 0)?.id).toBe('ahead');
  expect(nextBox({ x: 0, y: 0 }, boxes, 0, -1)).toBeNull();
});
