import { expect, test } from 'vitest';
import { channelOf, nameOf } from './subject';

test('a name leaves out what the channel says already', () => {
  expect(nameOf('http.handle:POST//v1/orders')).toBe('POST /v1/orders');
  expect(nameOf('rpc.call:inventory/Reserve')).toBe('inventory/Reserve');
  expect(nameOf('rpc.call:/stock/Reserve')).toBe('stock/Reserve');
  expect(nameOf('http.call:/GET /stock')).toBe('GET /stock');
  expect(nameOf('books.write')).toBe('books.write');
  expect(nameOf('http.handle:odd')).toBe('odd');
  expect(nameOf('')).toBe('(not told)');
  expect([channelOf('rpc.call:a/b'), channelOf('books.write')]).toEqual(['rpc', '']);
});
