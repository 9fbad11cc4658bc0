// Metrics: rate, errors and durations of services and routes, how durations are spread, series of numbers.

import { until } from '../page.mjs';

/** The card of a service or route, once it counts at least so many; its figures by name. */
export async function red_card(session, { path, name, count_min: least }) {
  const { page } = session;
  await session.open(path);
  const card = page.locator('.mt-card').filter({ has: page.locator('.mt-card-name').getByText(name, { exact: true }) });
  const read = async () => {
    const figures = await card.locator('.mt-figure').evaluateAll((all) => all.map((it) => [it.children[0].textContent, { value: it.children[1].textContent, more: it.title, drawn: it.querySelector('svg, canvas') !== null }]));
    return Object.fromEntries(figures);
  };
  return until(`a card of ${name} with ${least}`, async () => {
    const seen = (await card.count()) > 0 ? await read() : 'no card';
    const counted = Number(/^([\d,.]+)/.exec(seen.calls?.more ?? '')?.[1].replaceAll(/[,.]/g, '') ?? 0);
    return { done: counted >= least, found: { figures: seen, counted }, seen };
  }, 30_000);
}

/** Opens a route large; what its charts and its histogram say. */
export async function red_close(session, { service, route }) {
  const { page } = session;
  await session.open(`/metrics?service=${service}`);
  await page.locator('.mt-card').filter({ has: page.locator('.mt-card-name').getByText(route, { exact: true }) }).click();
  const close = page.getByRole('region', { name: `Metrics of ${route}` });
  await close.waitFor();
  await until('charts', async () => ({ done: (await close.locator('canvas').count()) >= 3, seen: await close.locator('canvas').count() }));
  const bars = await close.locator('.mt-histogram g title').allTextContents();
  return { facts: (await close.locator('.mt-facts').innerText()).replaceAll(/\s+/g, ' '), bars, label: await close.locator('.mt-histogram').getAttribute('aria-label') };
}

/** Drags over the first chart of what is open large, and follows the way to the traces of that time. */
export async function red_brush(session) {
  const { page } = session;
  const over = page.locator('.mt-close .u-over').first();
  const box = await over.boundingBox();
  await page.mouse.move(box.x + 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2, { steps: 8 });
  await page.mouse.up();
  await page.getByRole('link', { name: /^Traces from/ }).click();
  await page.waitForURL((url) => url.pathname === '/traces');
  await page.getByRole('grid').locator('[data-row]').first().waitFor();
  return { query: Object.fromEntries(new URL(page.url()).searchParams) };
}
