// What steps share: waiting for what a page will show, and reading what it shows.

import { isDeepStrictEqual } from 'node:util';
import { PATIENCE_MS } from './session.mjs';

const LOOK_EVERY_MS = 50;

/** Looks until there is something, within a bound; says what was seen last when there is not. */
export async function until(what, look, timeout = PATIENCE_MS) {
  const end = Date.now() + timeout;
  let last;
  for (;;) {
    last = await look();
    if (last?.done) return last.found;
    if (Date.now() > end) throw new Error(`${what}: not within ${timeout} ms; last seen: ${JSON.stringify(last?.seen)}`);
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
}

/** Waits until `read` gives `wanted`. */
export async function becomes(what, read, wanted, timeout) {
  await until(`${what} should be ${JSON.stringify(wanted)}`, async () => {
    const seen = await read();
    return { done: isDeepStrictEqual(seen, wanted), seen };
  }, timeout);
}

/** Fails with a sentence. */
export function must(truth, sentence) {
  if (!truth) throw new Error(sentence);
}

/** The query of the page's address as an object. */
export const query = (page) => Object.fromEntries(new URL(page.url()).searchParams);

/** Where on the screen an element is, which has to be there. */
export async function boxOf(locator) {
  await locator.waitFor();
  return locator.boundingBox();
}
