import { expect, test } from 'vitest';
import type { LogLine } from '@/api/types';
import { asked, liveAsked, readFilters, wanted, writeFilters } from './query';
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

test('the live stream filters by all but the time range, which is looked at here', () => {
  expect(liveAsked(readFilters(new URLSearchParams(full)))).toEqual({ text: 'card declined', service: 'orders', instance: 'i', level: 'warn', trace: 't' });
  const fits = (query: string) => wanted(readFilters(new URLSearchParams(query)), { at_unix_ms: 15 } as LogLine);
  expect([fits(''), fits('since=15'), fits('until=15'), fits('until=14'), fits('since=16')]).toEqual([true, true, true, false, false]);
});

test('a range is one of both forms, and local times survive a field', () => {
  expect(readRange(new URLSearchParams('range=1h&since=5'))).toEqual({ quick: '1h' });
  expect(fromLocalInput(localInput(1_795_248_086_000))).toBe(1_795_248_086_000);
  expect([fromLocalInput(''), localInput(undefined)]).toEqual([undefined, '']);
});
