import { expect, test } from 'vitest';
import { ApiError } from '@/api/problem';
import { Feed, type PageAsk, type Rules } from './feed';

/** Numbers, newest is largest; a page is of those below the cursor. */
function numbers(all: () => number[], asked: PageAsk[] = []): Rules<number> {
  return {
    key: String,
    at: (it) => it,
    page: async (ask) => {
      asked.push(ask);
      const below = ask.cursor === null ? (ask.until ?? Infinity) + 1 : Number(ask.cursor);
      const items = all().filter((it) => it < below).sort((a, b) => b - a).slice(0, ask.limit);
      const last = items.at(-1);
      return { items, next: last !== undefined && all().some((it) => it < last) ? String(last) : null };
    },
    merge: (lines, more) => [...new Set([...lines, ...more])].sort((a, b) => b - a),
    most: 6,
    first: 3,
    further: 2,
    refresh: 2,
  };
}

const upTo = (many: number) => Array.from({ length: many }, (_, at) => at + 1);
const settled = () => new Promise((done) => setTimeout(done, 0));

test('pages join into one list until there is nothing older', async () => {
  const feed = new Feed(numbers(() => upTo(4)));
  const stop = feed.start();
  await settled();
  expect(feed.lines.value).toEqual([4, 3, 2]);
  expect(feed.more.value).toBe(true);
  await feed.older();
  expect(feed.lines.value).toEqual([4, 3, 2, 1]);
  expect(feed.more.value).toBe(false);
  stop();
});

test('what arrives while somebody reads is counted and waits', async () => {
  const feed = new Feed(numbers(() => upTo(3)));
  const stop = feed.start();
  await settled();
  feed.hold(true);
  feed.arrived([5, 4, 3]);
  expect([feed.lines.value, feed.held.value]).toEqual([[3, 2, 1], [5, 4]]);
  feed.hold(false);
  expect([feed.lines.value, feed.held.value]).toEqual([[5, 4, 3, 2, 1], []]);
  stop();
});

test('a list that was left and is shown again keeps what it has and asks for what is new', async () => {
  let many = 4;
  const feed = new Feed(numbers(() => upTo(many)));
  // Left before anything came.
  feed.start()();
  const stop = feed.start();
  await settled();
  await feed.older();
  expect(feed.lines.value).toEqual([4, 3, 2, 1]);
  stop();
  many = 5;
  const again = feed.start();
  expect([feed.loading.value, feed.lines.value]).toEqual([false, [4, 3, 2, 1]]);
  await settled();
  expect(feed.lines.value).toEqual([5, 4, 3, 2, 1]);
  again();
});

test('a list that is cut goes on by time and finds the rest again', async () => {
  const asked: PageAsk[] = [];
  const feed = new Feed(numbers(() => upTo(9), asked));
  const stop = feed.start();
  await settled();
  feed.arrived([10, 11, 12, 13]);
  expect(feed.lines.value).toEqual([13, 12, 11, 10, 9, 8]);
  feed.lines.value = feed.lines.value.slice(0, 4);
  await feed.older();
  expect(asked.at(-1)).toEqual({ limit: 2, cursor: null, until: 10 });
  expect(feed.lines.value).toEqual([13, 12, 11, 10, 9, 8]);
  stop();
});

test('a refresh that does not reach what is there replaces it, so that nothing is silently missing', async () => {
  let many = 3;
  const feed = new Feed(numbers(() => upTo(many)));
  const stop = feed.start();
  await settled();
  feed.arrived([], 7);
  expect(feed.missed.value).toBe(7);
  many = 4;
  await feed.refresh();
  expect([feed.lines.value, feed.missed.value]).toEqual([[4, 3, 2, 1], 0]);
  many = 20;
  await feed.refresh();
  expect(feed.lines.value).toEqual([20, 19]);
  expect(feed.more.value).toBe(true);
  stop();
});

test('a refresh that does not reach what is held still waits, and replaces it when it is let go', async () => {
  let many = 3;
  const feed = new Feed(numbers(() => upTo(many)));
  const stop = feed.start();
  await settled();
  feed.hold(true);
  many = 20;
  await feed.refresh();
  expect([feed.lines.value, feed.held.value]).toEqual([[3, 2, 1], [20, 19]]);
  feed.arrived([21]);
  feed.hold(false);
  expect([feed.lines.value, feed.held.value]).toEqual([[21, 20, 19], []]);
  await feed.older();
  expect(feed.lines.value).toEqual([21, 20, 19, 18, 17]);
  stop();
});

test('a refusal is shown with its sentence, and the list stays with a mark of its age', async () => {
  let refuse = false;
  const rules = numbers(() => upTo(3));
  const page = rules.page;
  rules.page = (ask, signal) => (refuse ? Promise.reject(new ApiError(422, 'Wrong', 'say it better')) : page(ask, signal));
  const feed = new Feed(rules);
  const stop = feed.start();
  await settled();
  refuse = true;
  await feed.refresh();
  expect(feed.error.value?.detail).toBe('say it better');
  expect(feed.taken).toBe(false);
  expect(feed.lines.value).toEqual([3, 2, 1]);
  expect(feed.staleSinceUnixMs.value).not.toBeNull();
  refuse = false;
  await feed.refresh();
  expect(feed.error.value).not.toBeNull();
  feed.again();
  await settled();
  expect([feed.error.value, feed.staleSinceUnixMs.value, feed.taken]).toEqual([null, null, true]);
  stop();
});
