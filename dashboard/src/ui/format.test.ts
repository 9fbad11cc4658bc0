import { expect, test } from 'vitest';
import { ago, bytes, count, digits, duration, inUnit, percent, rate } from './format';

test('durations keep three digits and change their unit where it reads better', () => {
  expect([0, 0.004, 0.4, 1.25, 12.34, 123.4, 999.6, 1250, 59_949, 65_000, 7_800_000, 270_000_000, null, -5].map(duration)).toEqual([
    '0 ms', '4 µs', '400 µs', '1.25 ms', '12.3 ms', '123 ms', '1 s', '1.25 s', '59.9 s', '1 m 05 s', '2 h 10 m', '3 d 03 h', '–', '−5 ms',
  ]);
});

test('counts and rates are short', () => {
  expect([0, 7, 999, 1000, 12_345, 1_200_000].map(count)).toEqual(['0', '7', '999', '1k', '12.3k', '1.2M']);
  expect([0, 0.05, 3.333, 12.6, 4321].map(rate)).toEqual(['0/s', '0.05/s', '3.33/s', '13/s', '4.32k/s']);
});

test('no share is told of nothing, and a small one is not told as none', () => {
  expect([percent(0, 0), percent(0, 10), percent(1, 10_000), percent(24, 1000), percent(1, 3)]).toEqual(['–', '0%', '<0.1%', '2.4%', '33%']);
});

test('bytes go by 1024', () => {
  expect([0, 512, 1024, 1536, 5_000_000].map(bytes)).toEqual(['0 B', '512 B', '1 KiB', '1.5 KiB', '4.77 MiB']);
});

test('digits drop zeros that say nothing', () => {
  expect([0, 0.5, 1, 10, 100.4, 0.0125].map(digits)).toEqual(['0', '0.5', '1', '10', '100', '0.013']);
});

test('ages are coarse and know the future', () => {
  expect([ago(1000, 1500), ago(0, 90_000), ago(90_000, 0)]).toEqual(['now', '1 m ago', 'in 1 m']);
});

test('a value is written in the unit its metric reports', () => {
  expect([inUnit(0.25, 's'), inUnit(2048, 'By'), inUnit(1500, '1'), inUnit(3, '{request}'), inUnit(5, 'ms')]).toEqual(['250 ms', '2 KiB', '1.5k', '3', '5 ms']);
});
