// Old numbers on every page: the line breaks, or the API alone does not answer while events still come.

import { must, until } from '../page.mjs';

/** Marks in the page itself, not in the frame around it. */
const marks = (page) => page.getByRole('main').getByText(/stale since/i).filter({ visible: true });

/** Waits until the page shows, inside of itself, since when it is old. */
export async function page_is_stale(session, { within_ms: timeout = 20_000 }) {
  const { page } = session;
  await marks(page).first().waitFor({ timeout });
  const many = await marks(page).count();
  return { marks: many, text: await marks(page).first().innerText() };
}

/** Waits until nothing on the page is old any more, and live. */
export async function page_is_fresh(session, { within_ms: timeout = 40_000 }) {
  const { page } = session;
  await until('a fresh page', async () => {
    const [live, old] = [await page.locator('.connection').innerText(), await marks(page).count()];
    return { done: /^\s*Live\s*$/.test(live) && old === 0, seen: { live, old } };
  }, timeout);
}

/** The API answers nobody, the stream goes on. */
export async function silence_api(session) {
  session.expected.push(/net::ERR_FAILED/, /Failed to load resource/);
  await session.page.route(/\/api\/v1\/(?!live|session|setup)/, (route) => route.abort('failed'));
}

/** It answers again. */
export async function unsilence_api(session) {
  await session.page.unroute(/\/api\/v1\/(?!live|session|setup)/);
  await session.page.unrouteAll({ behavior: 'ignoreErrors' });
}

/** The stream is there. */
export async function stream_is_live(session) {
  const word = await session.page.locator('.connection').innerText();
  must(/^\s*Live\s*$/.test(word), `the header says ${word}`);
}
