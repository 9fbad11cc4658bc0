// The map as something that people look at for long: when news arrives, what stays where it is, what cards say of their services.

import { boxOf, must, until } from '../page.mjs';

const card = (page, service) => page.locator(`[data-node="s:${service}"]`);

/** Notes from now on when the card of a service comes, by the clock of this machine. */
export async function await_card(session, { service }) {
  await session.page.evaluate((id) => {
    const there = () => document.querySelector(`[data-node="${id}"]`) !== null;
    window.__came = new Promise((done) => {
      if (there()) return done(Date.now());
      const observer = new MutationObserver(() => {
        if (!there()) return;
        observer.disconnect();
        done(Date.now());
      });
      observer.observe(document.body, { childList: true, subtree: true });
    });
  }, `s:${service}`);
}

/** When it came, unix milliseconds. */
export async function card_came(session, { service }) {
  await card(session.page, service).waitFor({ state: 'attached', timeout: 10_000 });
  return { at_unix_ms: await session.page.evaluate(() => window.__came) };
}

/** Where all cards are and what they say. */
const cards = (page) =>
  page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('[data-node]')].map((it) => {
        const { x, y, width, height } = it.getBoundingClientRect();
        return [it.dataset.node, { box: [x, y, width, height].map(Math.round), text: it.innerText.replaceAll('\n', ' ') }];
      }),
    ),
  );

/** Waits until nothing moves any more. */
async function settled(page) {
  let before = '';
  await until('cards that stand still', async () => {
    const now = JSON.stringify(Object.values(await cards(page)).map((it) => it.box));
    const same = now === before && now !== '[]';
    before = now;
    if (!same) await page.waitForTimeout(400);
    return { done: same, seen: now.slice(0, 200) };
  });
}

/** Looks at the cards for a while: where they were before and after, and what they said. */
export async function cards_over_time(session, { seconds }) {
  const { page } = session;
  await settled(page);
  const before = await cards(page);
  await page.waitForTimeout(seconds * 1_000);
  const after = await cards(page);
  const moved = Object.keys(before).filter((it) => JSON.stringify(before[it].box) !== JSON.stringify(after[it]?.box));
  const said = Object.keys(before).filter((it) => before[it].text !== after[it]?.text);
  return { cards: Object.keys(before).length, moved, said };
}

/** Waits until the card of a service says so, to readers of the screen too. */
export async function card_says(session, { service, pattern, within_ms: timeout = 15_000 }) {
  const { page } = session;
  const wanted = new RegExp(pattern);
  const read = () =>
    card(page, service).evaluateAll((all) =>
      all.map((it) => [it.className, it.textContent, ...[...it.querySelectorAll('[aria-label]')].map((one) => one.getAttribute('aria-label'))].join(' ')).join(),
    );
  await until(`the card of ${service} saying ${pattern}`, async () => {
    const seen = await read();
    return { done: wanted.test(seen), seen };
  }, timeout);
  return { card: await read() };
}

/** Types into the search; says which cards are found and which step back. */
export async function map_search(session, { text, count }) {
  const { page } = session;
  await page.getByRole('searchbox', { name: 'Find a service' }).fill(text);
  const of = (look) => page.locator(`.mp-node.${look}`).evaluateAll((all) => all.map((it) => it.dataset.node).sort());
  await until(`${count} found`, async () => {
    const seen = await of('found');
    return { done: seen.length === count, seen };
  });
  const told = await page.locator('.mp-found').innerText();
  const found = { found: await of('found'), dim: await of('dim'), told };
  await page.getByRole('searchbox', { name: 'Find a service' }).fill('');
  return found;
}

/** Groups services or takes groups apart; says what stands there then. */
export async function map_group(session, { on }) {
  const { page } = session;
  await page.getByRole('button', { name: 'Groups', pressed: !on }).click();
  await settled(page);
  return { cards: Object.keys(await cards(page)).sort() };
}

/** Opens a closed group by its panel; says what stands there then. */
export async function map_open_group(session, { group }) {
  const { page } = session;
  await page.locator(`[data-node="g:${group}"]`).click();
  const panel = page.getByRole('complementary', { name: group });
  await panel.getByRole('button', { name: 'Open the group' }).click();
  await page.locator('.mp-box-head').waitFor();
  await settled(page);
  const shown = Object.keys(await cards(page)).sort();
  await panel.getByRole('button', { name: 'Close panel' }).click();
  return { cards: shown };
}

/** Puts a service and its neighbours apart; says who they are, and leaves. */
export async function map_focus(session, { service }) {
  const { page } = session;
  await card(page, service).click();
  await page.getByRole('complementary', { name: service }).getByRole('button', { name: 'Focus' }).click();
  await page.getByRole('button', { name: 'Leave the focus' }).waitFor();
  await settled(page);
  const near = Object.keys(await cards(page)).sort();
  await page.getByRole('radio', { name: '2 hops' }).click();
  await page.waitForURL(/hops=2/);
  await settled(page);
  const further = Object.keys(await cards(page)).sort();
  await page.getByRole('button', { name: 'Leave the focus' }).click();
  await page.getByRole('complementary', { name: service }).getByRole('button', { name: 'Close panel' }).click();
  await settled(page);
  return { near, further };
}

/** Points at the middle between two cards until the call between them answers, clicks it, and goes to the traces of its method. */
export async function traces_of_edge(session, { from, to, method }) {
  const { page } = session;
  const [a, b] = [await boxOf(card(page, from)), await boxOf(card(page, to))];
  const middle = { x: (a.x + a.width / 2 + b.x + b.width / 2) / 2, y: (a.y + a.height / 2 + b.y + b.height / 2) / 2 };
  const hint = page.locator('.mp-hint');
  let hit;
  // Calls are bowed: they are looked for around the middle.
  for (let away = 0; away <= 90 && !hit; away += 4) {
    for (const [x, y] of [[0, -away], [0, away], [-away, 0], [away, 0]]) {
      await page.mouse.move(middle.x + x, middle.y + y);
      await page.waitForTimeout(15);
      if ((await hint.count()) > 0 && (await hint.innerText()).includes(`${from} → ${to}`)) {
        hit = { x: middle.x + x, y: middle.y + y };
        break;
      }
    }
  }
  must(hit, `no call from ${from} to ${to} answers to the pointer`);
  const told = await hint.innerText();
  await page.mouse.click(hit.x, hit.y);
  const panel = page.getByRole('complementary', { name: new RegExp(`${from}.*${to}`) });
  await panel.getByRole('link', { name: method }).first().click();
  await page.waitForURL((url) => url.pathname === '/traces');
  await page.getByRole('grid').locator('[data-row]').first().waitFor();
  return { told, query: Object.fromEntries(new URL(page.url()).searchParams), traces: await page.locator('[data-row] .tr-link').count() };
}
