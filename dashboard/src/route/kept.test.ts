import { afterEach, expect, test, vi } from 'vitest';
import { keeperOf } from './kept';

const goTo = (entry: string) => vi.stubGlobal('history', { state: { entry } });

afterEach(() => vi.unstubAllGlobals());

test('what is kept belongs to the entry it was kept at, wherever one is by then', () => {
  goTo('list');
  const list = keeperOf<number>('top');
  expect(list.read()).toBeUndefined();
  goTo('trace');
  list.write(640);
  expect(keeperOf<number>('top').read()).toBeUndefined();
  goTo('list');
  expect(keeperOf<number>('top').read()).toBe(640);
  expect(keeperOf<number>('other').read()).toBeUndefined();
});

test('of many entries those left longest ago are forgotten', () => {
  goTo('first');
  const first = keeperOf<number>('top');
  first.write(1);
  for (let at = 0; at < 70; at++) {
    goTo(`entry ${at}`);
    keeperOf<number>('top').write(at);
    if (at === 30) first.write(2);
  }
  expect(first.read()).toBe(2);
  goTo('entry 0');
  expect(keeperOf<number>('top').read()).toBeUndefined();
});
