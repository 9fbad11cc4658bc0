// The map: what is on it, walking over it, and from it to a trace.

/** The card of a service; services of a closed group have none. */
const card = (page, service) => page.locator(`[data-node="s:${service}"]`);

/** Goes to the map by its link when another page is shown. */
async function toMap({ page }) {
  if (new URL(page.url()).pathname !== '/') await page.getByRole('link', { name: 'Map', exact: true }).click();
}

/** Waits until a service is on the map and has an instance. */
export async function map_has(session, { service, within_ms: timeout = 5_000 }) {
  await toMap(session);
  const begun = Date.now();
  await card(session.page, service).waitFor({ state: 'visible', timeout });
  return { after_ms: Date.now() - begun };
}

/** Waits until a service is not on the map any more, or is shown as not running. */
export async function map_drops(session, { service, within_ms: timeout = 10_000 }) {
  await toMap(session);
  const begun = Date.now();
  await card(session.page, service).waitFor({ state: 'detached', timeout });
  return { after_ms: Date.now() - begun };
}

/** Chooses a service, which opens its panel; takes groups apart when it is in a closed one. */
export async function map_select(session, { service }) {
  const { page } = session;
  await toMap(session);
  await page.locator('[data-node]').first().waitFor();
  const search = page.getByRole('searchbox', { name: 'Find a service' });
  await search.fill(service);
  const groups = page.getByRole('button', { name: 'Groups', pressed: true });
  await card(page, service).or(groups).first().waitFor();
  if ((await card(page, service).count()) === 0) await groups.click();
  // Enter goes to the first that was found, wherever it is.
  await search.press('Enter');
  await card(page, service).waitFor();
  await search.fill('');
  await page.getByRole('complementary', { name: service }).waitFor();
}

/** Chooses a service, goes to its traces, and opens the newest one of a subject. */
export async function trace_from_map(session, { service, subject }) {
  const { page } = session;
  await map_select(session, { service });
  await page.getByRole('complementary', { name: service }).getByRole('link', { name: 'Traces' }).click();
  await page.waitForURL((url) => url.pathname === '/traces' && url.searchParams.get('service') === service);
  await page.getByRole('link', { name: subject }).first().click();
  await page.waitForURL(/\/traces\/[0-9a-f-]{36}/);
  return { url: page.url() };
}

/** Waits until a world of so many services is arranged; says how much of it is in view. */
export async function map_overview(session, { services }) {
  const { page } = session;
  await page.getByText(new RegExp(`\\b${services} services\\b`)).first().waitFor({ timeout: 60_000 });
  await page.locator('[data-node]').first().waitFor({ timeout: 60_000 });
  await page.waitForTimeout(2_000);
  return page.evaluate(() => {
    const boxes = [...document.querySelectorAll('[data-node]')].map((it) => it.getBoundingClientRect());
    const cross = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    let overlapping = 0;
    boxes.forEach((a, at) => boxes.slice(at + 1).forEach((b) => (overlapping += Number(cross(a, b)))));
    return { nodes: boxes.length, overlapping };
  });
}

/** Does what people do with a large map: groups, search, choosing, focus, zoom, panning, keys, the list. */
export async function map_walk(session, { search, service, name }) {
  const { page } = session;
  const shots = [];
  const shot = async (part) => shots.push(await session.screenshot(`${name}-${part}`));
  const still = () => page.waitForTimeout(1_200);
  const groups = page.getByRole('button', { name: 'Groups' });

  await groups.click();
  await still();
  await shot('all');
  const box = page.getByRole('searchbox', { name: 'Find a service' });
  await box.fill(search);
  await still();
  await shot('search');
  await map_select(session, { service });
  await still();
  await shot('chosen');
  await page.getByRole('complementary', { name: service }).getByRole('button', { name: 'Focus' }).click();
  await still();
  await shot('focus');
  await page.getByRole('button', { name: 'Leave the focus' }).click();
  await page.getByRole('application').focus();
  for (const key of ['0', '+', '+', 'ArrowRight', 'ArrowDown', 'ArrowLeft', '-', 'Escape']) {
    await page.keyboard.press(key);
    await page.waitForTimeout(250);
  }
  await drag(page);
  await shot('near');
  await page.getByRole('radio', { name: 'List' }).or(page.getByRole('button', { name: 'List', exact: true })).click();
  await still();
  await shot('list');
  await page.getByRole('radio', { name: 'Map' }).or(page.getByRole('button', { name: 'Map', exact: true })).click();
  await groups.click();
  await still();
  return { shots: shots.length };
}

async function drag(page) {
  const area = await page.getByRole('application').boundingBox();
  const [x, y] = [area.x + area.width / 2, area.y + area.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let step = 0; step < 30; step += 1) await page.mouse.move(x + step * 8, y + step * 4);
  await page.mouse.up();
  for (let step = 0; step < 10; step += 1) await page.mouse.wheel(0, step < 5 ? 120 : -120);
}
