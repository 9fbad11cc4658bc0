import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '@/api/problem';
import { emptyResource, keepAsking } from './resource';

class Tab extends EventTarget {
  hidden = false;

  turn(hidden: boolean): void {
    this.hidden = hidden;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

let tab: Tab;
beforeEach(() => {
  tab = new Tab();
  vi.stubGlobal('document', tab);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Answers with how often it was asked. */
function counting() {
  const it = { asked: 0, refuse: null as ApiError | null };
  const load = async () => {
    it.asked += 1;
    if (it.refuse) throw it.refuse;
    return it.asked;
  };
  return Object.assign(it, { load });
}

test('a tab that is hidden asks nothing, and asks at once when it is shown with what has become old', async () => {
  const state = emptyResource<number>();
  const it = counting();
  const stop = keepAsking(state, it.load, 1_000);
  await vi.advanceTimersByTimeAsync(0);
  tab.turn(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.data.value).toBe(1);
  tab.turn(false);
  await vi.advanceTimersByTimeAsync(0);
  expect(state.data.value).toBe(2);
  tab.turn(true);
  tab.turn(false);
  await vi.advanceTimersByTimeAsync(999);
  expect(it.asked).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(it.asked).toBe(3);
  stop();
});

test('a reload while a request is under way is one more after it, however often it is asked for', async () => {
  const state = emptyResource<number>();
  const answers: ((value: number) => void)[] = [];
  const stop = keepAsking(state, () => new Promise<number>((answer) => answers.push(answer)), undefined);
  for (let times = 0; times < 3; times++) state.reload();
  expect(answers).toHaveLength(1);
  answers[0]?.(1);
  await vi.advanceTimersByTimeAsync(0);
  expect([state.data.value, answers.length]).toEqual([1, 2]);
  answers[1]?.(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([state.data.value, answers.length, state.loading.value]).toEqual([2, 2, false]);
  stop();
});

test('what cannot be refreshed stays, with a mark of its age, and nothing is asked after the end', async () => {
  const state = emptyResource<number>();
  const it = counting();
  const stop = keepAsking(state, it.load, 1_000);
  await vi.advanceTimersByTimeAsync(0);
  const goodUnixMs = Date.now();
  it.refuse = new ApiError(0, 'gone', 'gone');
  await vi.advanceTimersByTimeAsync(1_000);
  expect([state.data.value, state.staleSinceUnixMs.value, state.error.value?.detail]).toEqual([1, goodUnixMs, 'gone']);
  it.refuse = null;
  await vi.advanceTimersByTimeAsync(20_000);
  expect([state.staleSinceUnixMs.value, state.error.value]).toEqual([null, null]);
  stop();
  const { asked } = it;
  tab.turn(false);
  state.reload();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(it.asked).toBe(asked);
});
