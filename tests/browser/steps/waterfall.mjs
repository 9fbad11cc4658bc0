// One trace: what its waterfall shows, by numbers; its keys; what is beside it.

import { becomes, must, until } from '../page.mjs';

const grid = (page) => page.getByRole('treegrid', { name: 'Operations' });
const panel = (page) => page.getByRole('complementary', { name: /^Operation/ });

/** Rows as they are drawn: names, depths, and where bars begin and end in parts of the width. */
const drawn = (page) =>
  page.evaluate(() => {
    const part = (it, of) => {
      const [a, b] = [it.getBoundingClientRect(), of.getBoundingClientRect()];
      return [(a.left - b.left) / b.width, (a.right - b.left) / b.width].map((value) => Math.round(value * 1_000) / 1_000);
    };
    const rows = [...document.querySelectorAll('.tr-rows .tr-row')].map((row) => {
      const bars = row.querySelector('.tr-bars');
      const bar = bars.querySelector('.tr-bar');
      return {
        name: row.querySelector('.tr-what').textContent,
        row: Number(row.getAttribute('aria-rowindex')),
        depth: Number(row.getAttribute('aria-level')) - 1,
        critical: row.classList.contains('critical'),
        failed: row.classList.contains('failed'),
        here: row.classList.contains('here'),
        took: row.querySelector('.tr-took')?.textContent ?? '',
        bar: bar ? part(bar, bars) : null,
        own: [...bars.querySelectorAll('.tr-own')].map((it) => part(it, bars)),
        logs: [...bars.querySelectorAll('.tr-log')].map((it) => ({ title: it.title, at: part(it, bars)[0] })),
      };
    });
    return rows.sort((a, b) => a.row - b.row);
  });

/** Waits until a trace has so many operations and says how they are drawn. */
export async function waterfall(session, { ops }) {
  const { page } = session;
  await grid(page).waitFor();
  await until(`${ops} operations`, async () => ({ done: (await drawn(page)).length === ops, seen: (await drawn(page)).map((it) => it.name) }));
  const strip = page.locator('.tr-failure');
  const shares = (await page.locator('.tr-share-words li').allInnerTexts()).map((it) => it.replaceAll(/\s+/g, ' '));
  return { rows: await drawn(page), failure: (await strip.count()) > 0 ? await strip.innerText() : '', shares };
}

/** Presses keys in the waterfall and says after each which operation they are at, what is open and how much is in the document. */
export async function waterfall_keys(session, { keys }) {
  const { page } = session;
  await grid(page).focus();
  const steps = [];
  for (const key of keys) {
    await page.keyboard.press(key);
    await page.waitForTimeout(120);
    const rows = await drawn(page);
    const here = rows.find((it) => it.here)?.name ?? '';
    // The row the keys are at is what a screen reader is told.
    const told = await page.evaluate(() => {
      const id = document.querySelector('.tr-rows').getAttribute('aria-activedescendant');
      return document.getElementById(id)?.querySelector('.tr-what')?.textContent ?? '';
    });
    must(told === here, `a screen reader is told ${told}, and the keys are at ${here}`);
    const open = (await panel(page).count()) > 0 ? await panel(page).getByRole('heading').first().innerText() : '';
    steps.push({ key, here, open, rows: rows.length, last: rows.at(-1).bar });
  }
  return { steps };
}

/** Looks for a text in the trace; the keys are at what is found. */
export async function waterfall_search(session, { text, found }) {
  const { page } = session;
  await grid(page).focus();
  await page.keyboard.press('/');
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
  await becomes('what the search is at', async () => (await drawn(page)).find((it) => it.here)?.name, found);
  await page.keyboard.press('Escape');
  await becomes('what has the focus', () => page.evaluate(() => document.activeElement?.getAttribute('role')), 'treegrid');
}

/** Opens the first failure by the button of the strip; says what the panel tells. */
export async function show_failure(session) {
  const { page } = session;
  await page.locator('.tr-failure').getByRole('button', { name: 'Show' }).click();
  await panel(page).waitFor();
  return { panel: await panel(page).innerText() };
}

/** Opens an operation and waits until its panel says all of `says`. */
export async function open_op(session, { op, says }) {
  const { page } = session;
  await page.getByRole('row', { name: op }).first().click();
  for (const text of says) await panel(page).getByText(text).first().waitFor();
}

/** The payloads of the open operation, decoded and as they are. */
export async function payload_forms(session) {
  const { page } = session;
  const decoded = panel(page).locator('[aria-label="Payload"]').first();
  await decoded.waitFor();
  const tree = await decoded.innerText();
  await panel(page).getByRole('radio', { name: 'Raw' }).first().click();
  const raw = panel(page).locator('pre[aria-label="raw payload"]').first();
  await raw.waitFor();
  return { decoded: tree, raw: await raw.innerText() };
}
