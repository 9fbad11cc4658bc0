import { expect, test } from 'vitest';
import { doer, hasFailed, traceIdIn } from './model';

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
