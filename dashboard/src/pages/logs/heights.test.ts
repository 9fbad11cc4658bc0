import { expect, test } from 'vitest';
import { rowAt, seen, tops } from './heights';

const offsets = tops(5, (row) => (row === 2 ? 100 : 20));

test('rows lie below each other by their heights', () => {
  expect([...offsets]).toEqual([0, 20, 40, 140, 160, 180]);
});

test('the row at a height is found, also above the first and below the last', () => {
  expect([-5, 0, 19, 20, 139, 140, 9_999].map((top) => rowAt(offsets, top))).toEqual([0, 0, 0, 1, 2, 3, 4]);
  expect(rowAt(tops(0, () => 20), 5)).toBe(0);
});

test('what is seen has some more on both sides and stays within the list', () => {
  expect(seen(offsets, 45, 60, 1)).toEqual([1, 4]);
  expect(seen(offsets, 0, 1_000, 10)).toEqual([0, 5]);
  expect(seen(tops(0, () => 20), 0, 100, 10)).toEqual([0, 0]);
});
