// The log: lines that come by themselves, what is looked for, one line opened.

import { becomes, must, query, until } from '../page.mjs';
import { looks } from './looks.mjs';

const grid = (page) => page.getByRole('treegrid', { name: 'Log lines, newest first' });
const shown = async (page) => (await grid(page).getByRole('row').allInnerTexts()).map((it) => it.replaceAll(/\s+/g, ' '));

/** Waits until a line with this text is in the log, without asking for it. */
export async function log_shows(session, { text, within_ms: timeout }) {
  const { page } = session;
  await until(`a line with ${text}`, async () => {
    const seen = await shown(page).catch(() => []);
    return { done: seen.some((it) => it.includes(text)), seen: seen.slice(0, 5) };
  }, timeout);
  return { lines: (await shown(page)).length };
}

/** Fails when a line with this text comes within a while. */
export async function log_keeps_out(session, { text, seconds }) {
  const { page } = session;
  await page.waitForTimeout(seconds * 1_000);
  must(!(await shown(page)).some((it) => it.includes(text)), `${text} came all the same`);
}

/** Pauses the log or lets it go on. */
export async function log_pause(session, { on }) {
  const { page } = session;
  await page.getByRole('button', { name: on ? /^Pause/ : /^Follow/ }).click();
  await page.locator('.page-head').getByText('paused').waitFor({ state: on ? 'visible' : 'detached' });
}

/** Searches the log, waits until so many lines are left, and says what is marked in them; then takes the search away. */
export async function log_search(session, { text, level, service, count }) {
  const { page } = session;
  if (text !== undefined) await page.getByRole('searchbox', { name: 'Search the log' }).fill(text);
  if (level !== undefined) await page.getByRole('radio', { name: level }).click();
  if (service !== undefined) await page.getByRole('combobox', { name: 'Service' }).selectOption(service);
  await becomes('how many lines match', async () => (await shown(page).catch(() => [])).length, count);
  const found = { lines: await shown(page), marked: await page.locator('.lg-words mark').allInnerTexts(), query: query(page) };
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  return found;
}

/** Opens a line by its keys; says everything that is known of it, and what is around it. */
export async function open_line(session, { text }) {
  const { page } = session;
  const line = grid(page).getByRole('row').filter({ hasText: text }).first();
  await line.focus();
  await page.keyboard.press('Enter');
  await becomes('the line', () => line.getAttribute('aria-expanded'), 'true');
  const more = await line.innerText();
  await page.keyboard.press('c');
  const around = page.getByRole('dialog').getByRole('listitem');
  await around.first().waitFor();
  const { grave } = await looks(session, { name: 'dialog-around' });
  const here = await page.getByRole('dialog').locator('[aria-current=true]').innerText();
  const lines = await around.count();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await becomes('what has the focus', () => line.evaluate((it) => it === document.activeElement), true);
  return { more, here, lines, grave };
}

/** Goes to the trace in which a line was written. */
export async function trace_of_line(session, { text }) {
  const { page } = session;
  await grid(page).getByRole('row').filter({ hasText: text }).first().getByRole('link', { name: /trace/i }).first().click();
  await page.waitForURL(/\/traces\/[0-9a-f-]{36}/);
  await page.getByRole('complementary', { name: /^Operation/ }).getByText(text).first().waitFor();
  return { url: page.url() };
}
