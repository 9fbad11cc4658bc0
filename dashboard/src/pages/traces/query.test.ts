import { expect, test } from 'vitest';
import { asked, opsAsked, parseMs, readFilters, rootsTellAll, writeFilters } from './query';

const full = 'text=tea&service=orders&channel=http%2Crpc&status=error&failed=true&root_only=true&min_duration=5&max_duration=500&range=1h';

test('what is written into the URL is read back', () => {
  expect(writeFilters(readFilters(new URLSearchParams(full))).toString()).toBe(full);
  expect(writeFilters(readFilters(new URLSearchParams(''))).toString()).toBe('');
  expect(writeFilters(readFilters(new URLSearchParams('since=1&until=2'))).toString()).toBe('since=1&until=2');
});

test('what makes no sense is left out', () => {
  const odd = 'channel=pigeon&status=great&min_duration=-1&max_duration=soon&range=decade&since=now&failed=1';
  expect(writeFilters(readFilters(new URLSearchParams(odd))).toString()).toBe('');
});

test('the API is asked in its own words, a quick range from now', () => {
  expect(asked(readFilters(new URLSearchParams(full)), 10_000_000)).toMatchObject({
    text: 'tea', service: 'orders', channel: 'http,rpc', failed: true, root_only: true, min_duration: 5, max_duration: 500, since: 6_400_000,
  });
  expect(opsAsked(readFilters(new URLSearchParams('status=error')))).toMatchObject({ status: 'error', failed: null });
});

test('only a list without filters can be told by ended roots alone', () => {
  expect(rootsTellAll(readFilters(new URLSearchParams('range=1h')))).toBe(true);
  for (const one of ['text=a', 'service=a', 'channel=rpc', 'failed=true', 'min_duration=1', 'max_duration=1', 'since=1&until=2']) {
    expect(rootsTellAll(readFilters(new URLSearchParams(one))), one).toBe(false);
  }
});

test('durations are read as people write them', () => {
  expect(['250', '250 ms', '1.5s', '1,5 s', '2 min', '2m', '1h'].map(parseMs)).toEqual([250, 250, 1_500, 1_500, 120_000, 120_000, 3_600_000]);
  expect(['', 'soon', '-5', '5 d'].map(parseMs)).toEqual([undefined, undefined, undefined, undefined]);
});
