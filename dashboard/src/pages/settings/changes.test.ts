import { expect, it } from 'vitest';
import { actionWords, detailWords, merged } from './changes';

const line = (id: string) => ({ id, at_unix_ms: 0, actor: 'a', action: 'setting.set', target: 't', detail: {} });

it('actions are words, and what is not known stays what it is', () => {
  expect(actionWords('setting.set')).toBe('changed');
  expect(actionWords('moon.land')).toBe('moon.land');
});

it('details are one line', () => {
  expect(detailWords({ from: null, to: '90000' })).toBe('default → 90000');
  expect(detailWords({ from: '60000', to: '90000' }, 'x.y_ms')).toBe('1 min → 1 min 30 s');
  expect(detailWords({ from: null, to: '65536' }, 'telemetry.ops_bytes_max')).toBe('default → 64 KiB');
  expect(detailWords({ from: 'a,b', to: '' })).toBe('a,b → (empty)');
  expect(detailWords({ role: 'admin', password: true })).toBe('role admin, password');
  expect(detailWords({ role: null, password: false })).toBe('');
  expect(detailWords({ bytes: 12 })).toBe('bytes 12');
  expect(detailWords(null)).toBe('');
});

it('lines are merged without repeats', () => {
  expect(merged([line('c'), line('b')], [line('b'), line('a')]).map((it) => it.id)).toEqual(['c', 'b', 'a']);
});
