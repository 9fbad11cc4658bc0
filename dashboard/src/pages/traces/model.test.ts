import { expect, test } from 'vitest';
import { channelOf, doer, hasFailed, nameOf, traceIdIn } from './model';

test('a name leaves out what the channel says already', () => {
  expect(nameOf('http.handle:POST//v1/orders')).toBe('POST /v1/orders');
  expect(nameOf('rpc.call:inventory/Reserve')).toBe('inventory/Reserve');
  expect(nameOf('books.write')).toBe('books.write');
  expect(nameOf('http.handle:odd')).toBe('odd');
  expect(nameOf('')).toBe('(not told)');
  expect([channelOf('rpc.call:a/b'), channelOf('books.write')]).toEqual(['rpc', '']);
});

test('a trace id is known with and without hyphens, and nothing else is one', () => {
  expect(traceIdIn(' 01A1FD21-8E82-70DE-9E1A-2B2B03784730 ')).toBe('01a1fd21-8e82-70de-9e1a-2b2b03784730');
  expect(traceIdIn('01a1fd218e8270de9e1a2b2b03784730')).toBe('01a1fd218e8270de9e1a2b2b03784730');
  expect([traceIdIn('order-1'), traceIdIn('../../etc')]).toEqual([undefined, undefined]);
});

test('the work of a call is done by the one that was called', () => {
  expect([doer({ service: 'orders', peer: 'cards' }), doer({ service: 'orders', peer: '' })]).toEqual(['cards', 'orders']);
});

test('what runs has not failed, and an unknown status has', () => {
  expect(['SUCCESS', 'PENDING', '', 'ERROR', 'TIMEOUT', 'ABANDONED', 'MELTED'].map(hasFailed)).toEqual([false, false, false, true, true, true, true]);
});
