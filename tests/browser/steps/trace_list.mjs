// The list of traces: its filters, its scatter, the way into a trace and back.

import { becomes, boxOf, must, query, until } from '../page.mjs';
import { looks } from './looks.mjs';

/** Room of the scatter's axes, pixels: what the page leaves around its points. */
const PAD = { left: 60, right: 16, top: 8, bottom: 20 };

const grid = (page) => page.getByRole('grid', { name: 'Traces, newest first' });

/** Names of the traces in the list, in alphabetical order. */
const names = async (page) => (await grid(page).locator('[data-row] .tr-link').allInnerTexts()).sort();

const SETS = {
  text: (page, value) => page.getByRole('searchbox', { name: 'Search traces' }).fill(value),
  // All services are asked for when somebody is about to choose.
  service: async (page, value) => {
    const choice = page.getByRole('combobox', { name: 'Service' });
    await choice.focus();
    await choice.selectOption(value);
  },
  status: (page, value) => page.getByRole('combobox', { name: 'Status' }).selectOption(value),
  min: (page, value) => page.getByRole('textbox', { name: 'Shortest duration' }).fill(value).then(() => page.keyboard.press('Enter')),
  max: (page, value) => page.getByRole('textbox', { name: 'Longest duration' }).fill(value).then(() => page.keyboard.press('Enter')),
  channel: (page, value) => page.getByRole('group', { name: 'Channels' }).getByRole('button', { name: value }).click(),
  root_only: (page) => page.getByRole('button', { name: 'Root only' }).click(),
  range: (page, value) => page.getByRole('combobox', { name: 'Time range' }).selectOption(value),
};

/** Sets filters one after the other, and waits until exactly these traces are listed; then takes them away again. */
export async function filter_traces(session, { set, names: wanted, keep = false }) {
  const { page } = session;
  for (const [name, value] of Object.entries(set)) {
    for (const one of [value].flat()) await SETS[name](page, one);
  }
  await becomes(`traces with ${JSON.stringify(set)}`, () => names(page), [...wanted].sort());
  const found = query(page);
  if (keep) return { query: found };
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await until('no filter', async () => ({ done: Object.keys(query(page)).length === 0, seen: query(page) }));
  return { query: found };
}

/** Waits until exactly these traces are listed. */
export async function traces_are(session, { names: wanted }) {
  await becomes('the list', () => names(session.page), [...wanted].sort());
}

/** What a duration that is none is answered with, in its place. */
export async function refuse_duration(session, { text }) {
  const { page } = session;
  const field = page.getByRole('textbox', { name: 'Shortest duration' });
  await field.fill(text);
  await field.press('Enter');
  await until('a mark at the field', async () => ({ done: (await field.getAttribute('aria-invalid')) === 'true' }));
  const why = await field.getAttribute('title');
  must(query(page).min_duration === undefined, 'it was applied all the same');
  await field.fill('');
  await field.press('Enter');
  return { why };
}

/** Chooses a range from one time to another, unix milliseconds; one that ends before it begins is answered in its place. */
export async function choose_range(session, { from_ms, to_ms }) {
  const { page } = session;
  // The browser's local time is UTC.
  const [from, to] = [from_ms, to_ms].map((it) => new Date(it).toISOString().slice(0, 19));
  await page.getByRole('combobox', { name: 'Time range' }).selectOption('custom');
  const dialog = page.getByRole('dialog');
  const { grave } = await looks(session, { name: 'dialog-range' });
  await dialog.getByLabel('From').fill(to);
  await dialog.getByLabel('To').fill(from);
  const why = await dialog.locator('.field .bad').innerText();
  await dialog.getByLabel('From').fill(from);
  await dialog.getByLabel('To').fill(to);
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await dialog.waitFor({ state: 'detached' });
  return { grave, why, query: query(page) };
}

/** The scatter's plane on the screen. */
async function plane(page) {
  const box = await boxOf(page.locator('.tr-plane'));
  return {
    left: box.x + PAD.left,
    top: box.y + PAD.top,
    width: box.width - PAD.left - PAD.right,
    height: box.height - PAD.top - PAD.bottom,
  };
}

/** Looks for the point of a trace that began at `part` of the shown time (0 to 1), and clicks it. */
export async function click_point(session, { part, name }) {
  const { page } = session;
  const area = await plane(page);
  const x = area.left + part * area.width;
  const tip = page.locator('.tr-tip');
  for (let y = area.top; y <= area.top + area.height; y += 3) {
    await page.mouse.move(x, y);
    await page.waitForTimeout(20);
    if ((await tip.count()) === 0 || !(await tip.innerText()).includes(name)) continue;
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForURL(/\/traces\/[0-9a-f-]{36}/);
    return { url: page.url(), y: y - area.top };
  }
  throw new Error(`no point of ${name} at ${part}`);
}

/** Drags over the scatter from one place to another, parts of its width and height; says what the address filters by then. */
export async function brush(session, { from, to }) {
  const { page } = session;
  const area = await plane(page);
  const at = ([x, y]) => [area.left + x * area.width, area.top + y * area.height];
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]), { steps: 4 });
  await page.locator('.tr-brush').waitFor();
  await page.mouse.move(...at(to), { steps: 4 });
  await page.mouse.up();
  await until('a filter', async () => ({ done: query(page).since !== undefined, seen: page.url() }));
  return { query: query(page) };
}

/** Goes back as a person does. */
export async function back(session) {
  await session.page.goBack();
  return { url: session.page.url(), query: query(session.page) };
}

/** The first row that is wholly below the head of the table: its link and where it is. */
const firstSeen = (page) =>
  page.evaluate(() => {
    const table = document.querySelector('.table');
    const below = table.getBoundingClientRect().top + table.querySelector('.table-head').offsetHeight;
    const rows = [...table.querySelectorAll('[data-row]')].map((it) => ({ at: Number(it.dataset.row), y: Math.round(it.getBoundingClientRect().top), href: it.querySelector('a').getAttribute('href') }));
    const seen = rows.filter((it) => it.y >= below).sort((a, b) => a.y - b.y)[0];
    return { scroll: Math.round(table.scrollTop), ...seen };
  });

/**
 * Scrolls down to a row, opens the trace that is first in view (`with` the mouse or the keyboard), goes back, and finds the list
 * as it was: the same filters, the same row in the same place.
 */
export async function open_and_come_back(session, { row, by }) {
  const { page } = session;
  const before = page.url();
  // The list grows as one scrolls.
  await until(`row ${row}`, async () => {
    if ((await grid(page).locator('[data-row]').count()) === 0) return { seen: 'no rows' };
    await page.evaluate((to) => document.querySelector('.table').scrollTo(0, to), row * 32);
    const seen = await firstSeen(page);
    return { done: seen.at >= row - 1, seen };
  });
  await page.waitForTimeout(300);
  const left = await firstSeen(page);
  const link = page.locator(`[data-row="${left.at}"]`);
  if (by === 'mouse') await link.locator('a').click();
  else {
    await link.focus();
    await page.keyboard.press('Enter');
  }
  await page.waitForURL((url) => url.pathname === left.href);
  await page.getByRole('treegrid').waitFor();
  await page.goBack();
  await page.waitForURL(before);
  await grid(page).locator('[data-row]').first().waitFor();
  await becomes('the list as it was left', () => firstSeen(page), left);
  // What arrives now must not push it away.
  await page.waitForTimeout(1_000);
  const later = await firstSeen(page);
  must(later.href === left.href && later.y === left.y, `the list moved: ${JSON.stringify({ left, later })}`);
  const focused = await page.evaluate(() => document.activeElement?.getAttribute('data-row'));
  return { left, focused };
}
