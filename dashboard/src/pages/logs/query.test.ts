import { expect, test } from 'vitest';
import type { LogLine } from '@/api/types';
import { asked, readFilters, wanted, writeFilters } from './query';
import { fromLocalInput, localInput, readRange } from '@/telemetry/range';

const full = 'text=card+declined&service=orders&instance=i&level=warn&trace=t&since=10&until=20';

test('what is written into the URL is read back', () => {
  expect(writeFilters(readFilters(new URLSearchParams(full))).toString()).toBe(full);
  expect(writeFilters(readFilters(new URLSearchParams('range=15m'))).toString()).toBe('range=15m');
  expect(writeFilters(readFilters(new URLSearchParams('level=loud&range=never&since=x'))).toString()).toBe('');
});

test('the API is asked in its own words, a quick range from now', () => {
  expect(asked(readFilters(new URLSearchParams('level=ERROR&range=5m')), 1_000_000)).toMatchObject({ level: 'error', since: 700_000 });
  expect(asked(readFilters(new URLSearchParams('since=1')), 5)).toMatchObject({ since: 1 });
});

test('a live line is wanted if it is of the instance and trace that are asked for', () => {
  const line = { instance_id: 'i', trace_id: '01a1fd21-8e82', at_unix_ms: 15 } as LogLine;
  const fits = (query: string) => wanted(readFilters(new URLSearchParams(query)), line);
  expect([fits(''), fits('instance=i'), fits('trace=01A1FD218E82'), fits('since=15')]).toEqual([true, true, true, true]);
  expect([fits('instance=j'), fits('trace=01a1'), fits('until=14'), fits('since=16')]).toEqual([false, false, false, false]);
});

test('a range is one of both forms, and local times survive a field', () => {
  expect(readRange(new URLSearchParams('range=1h&since=5'))).toEqual({ quick: '1h' });
  expect(fromLocalInput(localInput(1_795_248_086_000))).toBe(1_795_248_086_000);
  expect([fromLocalInput(''), localInput(undefined)]).toEqual([undefined, '']);
});
