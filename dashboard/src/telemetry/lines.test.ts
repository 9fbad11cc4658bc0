import { expect, test } from 'vitest';
import type { LogLine } from '@/api/types';
import { fieldsOf, pieces, preview, visible, wordsOf } from './lines';

const line = (fields: unknown): LogLine => ({
  id: '1', at_unix_ms: 0, level: 'info', service: 'orders', instance_id: '', source: 'sdk', message: '', fields, trace_id: '', op_id: '',
});

test('fields are names and texts, and what is no object has none', () => {
  expect(fieldsOf(line({ a: 'x', b: 1, c: { d: null } }))).toEqual([['a', 'x'], ['b', '1'], ['c', '{"d":null}']]);
  for (const odd of [null, 'text', [1], 5]) expect(fieldsOf(line(odd))).toEqual([]);
});

test('a preview is bounded and says the module last', () => {
  expect(preview(line({ target: 'shop', id: 7 })).map(([name]) => name)).toEqual(['id', 'target']);
  const shown = preview(line({ long: 'x'.repeat(5_000), more: 'y' }));
  expect(shown).toHaveLength(1);
  expect(shown[0]?.[1].length).toBeLessThan(500);
});

test('control characters are seen and not obeyed', () => {
  expect(visible('a\u001b[31mred\u0000\u007f')).toBe('a\\x1b[31mred\\x00\\x7f');
  expect(visible('user\u202egnp.exe\u200b')).toBe('user\\u202egnp.exe\\u200b');
  expect(visible('two\nlines\tand a tab')).toBe('two\nlines\tand a tab');
});

test('what was looked for is cut out, whatever its case, and nothing is lost', () => {
  expect(pieces('Order placed, order paid', ['order'])).toEqual([
    { text: 'Order', hit: true }, { text: ' placed, ', hit: false }, { text: 'order', hit: true }, { text: ' paid', hit: false },
  ]);
  expect(pieces('<b>(', ['<b>(']).map((it) => it.text).join('')).toBe('<b>(');
  expect(pieces('as it is', [])).toEqual([{ text: 'as it is', hit: false }]);
});

test('words are cut where the runtime cuts them', () => {
  expect(wordsOf('order-1: Übermaß!')).toEqual(['order', '1', 'Übermaß']);
});
