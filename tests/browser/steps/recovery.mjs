// What can go wrong under a page, made to happen: an exception, a frozen or cut line, a lost session. And what a page
// must show of it.

/** What the browser itself says about a line that breaks. */
const BROKEN_LINE = [/ERR_(CONNECTION|EMPTY|NETWORK|INCOMPLETE|SOCKET|TIMED)/, /net::ERR_FAILED/, /status of 50[234]/];

/** Marks the document, so that a reload is noticed. */
export async function mark(session) {
  await session.page.evaluate(() => {
    window.__marked = true;
  });
}

/** Whether it is still the marked document. */
export async function is_marked(session) {
  return { marked: await session.page.evaluate(() => window.__marked === true) };
}

/** Throws in a timer and in a promise, as a defect of a page would. */
export async function throw_in_page(session) {
  await session.expecting([/injected by a test/], async () => {
    await session.page.evaluate(() => {
      setTimeout(() => {
        throw new Error('injected by a test, in a timer');
      });
      void Promise.reject(new Error('injected by a test, in a promise'));
    });
    await session.page.waitForTimeout(100);
  });
}

/** Nothing passes between the page and the runtime any more. */
export async function freeze(session) {
  session.proxy.freeze();
}

/** The line between the page and the runtime breaks, and stays broken. */
export async function cut(session) {
  session.expected.push(...BROKEN_LINE);
  session.proxy.cut();
}

/** Tells the watch over the page that the runtime will be away. */
export async function expect_broken_line(session) {
  session.expected.push(...BROKEN_LINE);
}

/** The line is there again. */
export async function heal(session) {
  session.proxy.heal();
}

/** Faults of a broken line count again. */
export async function expect_nothing(session) {
  await session.page.waitForTimeout(200);
  session.expected.length = 0;
}

/** Waits until a text that fits `pattern` is on the page, or with `gone` until none is. */
export async function shows(session, { pattern, gone = false, within_ms: timeout = 30_000 }) {
  const found = session.page.getByText(new RegExp(pattern, 'i')).filter({ visible: true }).first();
  await found.waitFor({ state: gone ? 'hidden' : 'visible', timeout });
  return { text: gone ? '' : await found.innerText() };
}

/** Waits until the page is at a path that fits `pattern`. */
export async function arrives(session, { pattern, within_ms: timeout = 15_000 }) {
  await session.page.waitForURL((url) => new RegExp(pattern).test(url.pathname + url.search), { timeout });
  return { url: session.page.url() };
}
