// How pages look and whether everybody can use them: screenshots in both themes, and what axe-core finds.

import { readFile } from 'node:fs/promises';

/** Faults that stop somebody from using a page. */
const GRAVE = ['serious', 'critical'];

/** Chooses a theme and waits until the page has it and it is painted. */
async function paint(session, theme) {
  await session.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
  // Dark text is the light theme.
  await session.page.waitForFunction((it) => {
    const parts = getComputedStyle(document.body).color.match(/[\d.]+/g).slice(0, 3).map(Number);
    return (parts[0] + parts[1] + parts[2] < 384) === (it === 'light');
  }, theme);
  await session.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** What axe-core calls serious or critical on the page as it is. */
async function graveFaults(session) {
  // By the debugger: the page's policy allows no other program.
  const source = await readFile(session.axePath, 'utf8');
  await session.cdp.send('Runtime.evaluate', { expression: source });
  const report = await session.page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return report.violations
    .filter((it) => GRAVE.includes(it.impact))
    .map((it) => ({
      rule: it.id,
      impact: it.impact,
      help: it.help,
      where: it.nodes.slice(0, 3).map((node) => ({ html: node.html.slice(0, 200), why: node.failureSummary?.slice(0, 200) })),
      count: it.nodes.length,
    }));
}

/** Photographs the page in both themes as NAME-light and NAME-dark, and looks for grave faults in each. */
export async function looks(session, { name, path, wait_for: awaited, settle_ms: settle = 0, axe = true }) {
  if (path !== undefined) await session.open(path);
  if (awaited !== undefined) await session.page.getByRole('main').getByText(awaited).filter({ visible: true }).first().waitFor();
  if (settle > 0) await session.page.waitForTimeout(settle);
  const grave = [];
  for (const theme of ['light', 'dark']) {
    await paint(session, theme);
    await session.screenshot(`${name}-${theme}`);
    if (axe) for (const it of await graveFaults(session)) grave.push({ theme, ...it });
  }
  return { grave };
}

/** The same at another size of the window. */
export async function size(session, { width, height }) {
  await session.page.setViewportSize({ width, height });
}

/** Opens `path`, waits for `wait_for` (a text) and leaves everything as it is. */
export async function open(session, { path, wait_for: awaited }) {
  await session.open(path);
  if (awaited !== undefined) await session.page.getByText(awaited).first().waitFor();
  return { url: session.page.url(), title: await session.page.title() };
}

/** Opens `path` and waits until `text` is there for a person to read, letter by letter. */
export async function letters(session, { path, text, within_ms: timeout = 30_000 }) {
  await session.open(path);
  await session.page.getByRole('main').getByText(text).filter({ visible: true }).first().waitFor({ timeout });
}

/** What a person can read on the page now. */
export async function words(session) {
  return { text: await session.words() };
}
