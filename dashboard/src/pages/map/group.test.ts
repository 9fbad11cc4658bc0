import { expect, test } from 'vitest';
import { groupNames, prefixOf } from './group';

test('a prefix ends at the first separator, whichever it is', () => {
  expect(['orders-api', 'orders.worker', 'orders_store', 'orders/x', 'orders:x', 'orders'].map(prefixOf)).toEqual(Array(6).fill('orders'));
});

test('a name that begins with a separator is its own prefix', () => {
  expect(prefixOf('-api')).toBe('-api');
});

test('only names that share their prefix are grouped', () => {
  const found = groupNames(['orders-api', 'orders-worker', 'billing-api', 'web']);
  expect([...found]).toEqual([
    ['orders-api', 'orders'],
    ['orders-worker', 'orders'],
  ]);
});
