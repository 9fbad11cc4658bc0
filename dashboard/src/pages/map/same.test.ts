import { expect, test } from 'vitest';
import { keepSame, sameJson } from './same';

test('values say the same whatever objects they are in', () => {
  expect(sameJson({ a: [1, { b: null }], c: 'x' }, { c: 'x', a: [1, { b: null }] })).toBe(true);
  const others: [unknown, unknown][] = [[{ a: 1 }, { a: 2 }], [{ a: 1 }, { b: 1 }], [[1], [1, 2]], [{}, []], [null, {}], [{ a: 1 }, { a: 1, b: undefined }], ['1', 1]];
  expect(others.map(([a, b]) => sameJson(a, b))).toEqual(others.map(() => false));
});

test('what is told again as it was stays the same object, and the order is the new one', () => {
  const before = [{ name: 'a', runs: 1 }, { name: 'b', runs: 1 }];
  const now = keepSame(before, [{ name: 'b', runs: 1 }, { name: 'a', runs: 2 }, { name: 'c', runs: 1 }], (it) => it.name);
  expect(now).toEqual([{ name: 'b', runs: 1 }, { name: 'a', runs: 2 }, { name: 'c', runs: 1 }]);
  expect([now[0] === before[1], now[1] === before[0]]).toEqual([true, false]);
});
