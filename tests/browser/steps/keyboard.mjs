// Nothing but keys: Tab until something has the focus, Enter, arrows. Wherever the focus is, it must be seen.

import { becomes, must, until } from '../page.mjs';

/** So many Tabs a person would press before giving up. */
const TABS_MAX = 60;

/** What has the focus: its role and name as a person would say them, and whether one sees that it has it. */
const focused = (page) =>
  page.evaluate(() => {
    const it = document.activeElement;
    if (!it || it === document.body) return { name: '', role: 'body', seen: true };
    const solid = (look) => look.outlineStyle !== 'none' && Number.parseFloat(look.outlineWidth) >= 1 && !/, 0\)$/.test(look.outlineColor);
    // A grid shows it at the row that its keys are at.
    const active = it.getAttribute('aria-activedescendant');
    const inside = active ? document.getElementById(active) : null;
    const ground = (one) => one && getComputedStyle(one).backgroundColor;
    const row = inside && ground(inside) !== ground(inside.nextElementSibling ?? inside.parentElement);
    const label = it.labels?.[0]?.innerText;
    return {
      name: (it.getAttribute('aria-label') ?? label ?? it.innerText ?? it.getAttribute('title') ?? '').trim().replaceAll(/\s+/g, ' ').slice(0, 80),
      role: it.getAttribute('role') ?? it.tagName.toLowerCase(),
      // Where a page puts it after its content changed; the next Tab goes on from there.
      seen: solid(getComputedStyle(it)) || Boolean(row) || it.id === 'main' || it.getAttribute('role') === 'menuitem',
      look: `${getComputedStyle(it).outline}`,
    };
  });

/** Presses Tab (or Shift+Tab) until what has the focus is called so; every stop on the way must be seen. */
export async function tab_to(session, { name, role, backwards = false }) {
  const { page } = session;
  const wanted = new RegExp(name);
  const stops = [];
  for (let count = 0; count < TABS_MAX; count += 1) {
    await page.keyboard.press(backwards ? 'Shift+Tab' : 'Tab');
    const it = await focused(page);
    must(it.seen, `the focus cannot be seen at ${JSON.stringify(it)}`);
    stops.push(`${it.role} ${it.name}`);
    if (wanted.test(it.name) && (role === undefined || it.role === role)) return { stops: stops.length };
  }
  throw new Error(`no ${role ?? ''} ${name} within ${TABS_MAX} tabs: ${stops.join(' | ')}`);
}

/** What has the focus now. */
export async function focus_is(session, { name, role }) {
  const { page } = session;
  await until(`the focus at ${role ?? ''} ${name}`, async () => {
    const seen = await focused(page);
    return { done: new RegExp(name).test(seen.name) && (role === undefined || seen.role === role), seen };
  });
}

/** Types a text into what has the focus. */
export async function type(session, { text }) {
  await session.page.keyboard.type(text);
}

/** Walks around in the open dialog: the focus stays inside; Escape closes it, and the focus is back where it was. */
export async function dialog_keeps_focus(session, { back_to: back, stops: many = 14 }) {
  const { page } = session;
  await page.getByRole('dialog').waitFor();
  const where = () =>
    page.evaluate(() => {
      const it = document.activeElement;
      return { inside: it === document.body || Boolean(it?.closest('dialog')), at: it?.outerHTML.slice(0, 80) };
    });
  const seen = new Set();
  for (let count = 0; count < many; count += 1) {
    await page.keyboard.press(count < many / 2 ? 'Tab' : 'Shift+Tab');
    const it = await where();
    must(it.inside, `the focus left the dialog for ${it.at}`);
    must((await focused(page)).seen, `the focus cannot be seen at ${it.at}`);
    seen.add(it.at);
  }
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await becomes('what has the focus', async () => new RegExp(back).test((await focused(page)).name), true);
  return { stops: seen.size };
}

/** Presses a key until the row of a list that has the focus holds a text. */
export async function arrow_to(session, { key, text, most = 40 }) {
  const { page } = session;
  for (let count = 0; count < most; count += 1) {
    const row = await page.evaluate(() => {
      const it = document.activeElement;
      const active = it?.getAttribute('aria-activedescendant');
      return (active ? document.getElementById(active) : it)?.innerText ?? '';
    });
    if (row.includes(text)) return { presses: count };
    await page.keyboard.press(key);
    await page.waitForTimeout(60);
    must((await focused(page)).seen, 'the focus cannot be seen');
  }
  throw new Error(`no row with ${text} within ${most} presses of ${key}`);
}
