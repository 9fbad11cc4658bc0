import { describe, expect, it } from 'vitest';
import { besides, bySection, faultOf, humanBytes, humanMs, isChanged, meaning, readHuman, settingOf, shownValue, wordsOf, writeValue } from './values';
import type { Setting } from './values';

const setting = (change: Partial<Setting>): Setting => ({
  ...settingOf({ key: 'telemetry.x', value: '1', pending: null, default: '1', bounds: '', doc: '' }),
  ...change,
});
const span = setting({ kind: 'integer', unit: 'ms', min: 60_000, max: 2_592_000_000 });
const size = setting({ kind: 'integer', unit: 'bytes', min: 16 * 2 ** 20, max: 2 ** 40 });

describe('spans and sizes', () => {
  it('are said in the units people use', () => {
    expect(humanMs(604_800_000)).toBe('7 days');
    expect(humanMs(86_400_000)).toBe('1 day');
    expect(humanMs(90_500)).toBe('1 min 30 s 500 ms');
    expect(humanMs(0)).toBe('0 ms');
    expect(humanBytes(4 * 2 ** 30)).toBe('4 GiB');
    expect(humanBytes(65_537)).toBe('65537 B');
  });

  it('are read back as the number that the API takes', () => {
    expect(readHuman('ms', '7d')).toBe('604800000');
    expect(readHuman('ms', '1h 30min')).toBe('5400000');
    expect(readHuman('ms', '1.5s')).toBe('1500');
    expect(readHuman('bytes', '64 KiB')).toBe('65536');
    expect(readHuman('bytes', '4g')).toBe(String(4 * 2 ** 30));
  });

  it('leave alone what they do not understand, so that the field can say so', () => {
    expect(readHuman('ms', '7 parsecs')).toBe('7 parsecs');
    expect(readHuman('attempts', '5x')).toBe('5x');
    expect(readHuman('ms', '')).toBe('');
  });

  it('are said beside a number only where that says something', () => {
    expect(besides('ms', '5000')).toBe('5 s');
    expect(besides('ms', '999')).toBeUndefined();
    expect(besides('ms', 'abc')).toBeUndefined();
    expect(besides('attempts', '5000')).toBeUndefined();
  });
});

describe('a text', () => {
  it('within the bounds has no fault, at both ends', () => {
    expect(faultOf(span, '60000')).toBeUndefined();
    expect(faultOf(span, '30d')).toBeUndefined();
    expect(faultOf(size, '16MiB')).toBeUndefined();
  });

  it('beyond the bounds is told what fits', () => {
    expect(faultOf(span, '59999')).toBe('Enter 1 min to 30 days.');
    expect(faultOf(size, '1')).toBe('Enter 16 MiB to 1 TiB.');
  });

  it('that is no number is told which forms there are', () => {
    expect(faultOf(span, 'soon')).toContain('90s');
    expect(faultOf(setting({ kind: 'integer' }), '1.5')).toBe('Enter a whole number.');
    expect(faultOf(setting({ kind: 'integer' }), '')).toContain('reset');
  });

  it('is one of the choices', () => {
    const choice = setting({ kind: 'choice', choices: ['none', 'errors', 'all'] });
    expect(faultOf(choice, 'all')).toBeUndefined();
    expect(faultOf(choice, 'some')).toBe('Choose one of none, errors, all.');
  });

  it('of words is written as the API keeps it', () => {
    const words = setting({ kind: 'words' });
    expect(wordsOf(' Token, token\nAPI_key ')).toEqual(['token', 'api_key']);
    expect(writeValue(words, 'b a')).toBe('b,a');
    expect(faultOf(words, 'a$b')).toContain('“a$b”');
    expect(faultOf(words, '')).toBeUndefined();
    expect(shownValue(words, '')).toBe('(empty)');
  });
});

describe('the list', () => {
  it('counts a value that waits for the next start as a change', () => {
    expect(isChanged(setting({ value: '1', pending: '2' }))).toBe(true);
    expect(isChanged(setting({ value: '2', pending: '1' }))).toBe(false);
  });

  it('is by section in a fixed order, and only what matches every word', () => {
    const all = ['zebra.a', 'telemetry.b', 'network.c'].map((key) => setting({ key, section: key.split('.')[0]! }));
    expect(bySection(all, '').map(([name]) => name)).toEqual(['network', 'telemetry', 'zebra']);
    expect(bySection(all, 'TELE b').map(([name]) => name)).toEqual(['telemetry']);
    expect(bySection(all, 'tele c')).toEqual([]);
  });

  it('tells the remark that nothing reads a setting from its meaning', () => {
    expect(meaning('Shortest interval of a job. Read once jobs are served.')).toEqual({
      text: 'Shortest interval of a job.', unused: 'Read once jobs are served',
    });
    expect(meaning('Port of it.')).toEqual({ text: 'Port of it.' });
  });
});
