// One service: its keys, its methods, its instances, its end.

import { becomes, must, until } from '../page.mjs';
import { looks } from './looks.mjs';

const dialog = (page) => page.getByRole('dialog');
const closed = (page) => dialog(page).waitFor({ state: 'detached' });

/** Opens a part of a service's page. */
export async function service_tab(session, { service, tab }) {
  const { page } = session;
  const path = `/services/${service}`;
  if (new URL(page.url()).pathname !== path) await session.open(path);
  await page.getByRole('tab', { name: new RegExp(`^${tab}`) }).click();
}

/** Names a service that the runtime would not take; says what the field answers. */
export async function refuse_service(session, { name }) {
  const { page } = session;
  await page.getByRole('button', { name: 'New service' }).first().click();
  const field = dialog(page).getByLabel('Name');
  await field.fill(name);
  await page.getByRole('button', { name: 'Make it and show the key' }).click();
  const why = dialog(page).locator('.field .bad');
  await why.waitFor();
  const found = await why.innerText();
  const { grave } = await looks(session, { name: 'dialog-service' });
  await page.keyboard.press('Escape');
  await closed(page);
  return { why: found, grave };
}

/** Adds a key on the page of the service; looks at both dialogs; the key is gone from the page afterwards, and after a reload. */
export async function add_key(session, { service }) {
  const { page } = session;
  await service_tab(session, { service, tab: 'Keys' });
  await page.getByRole('button', { name: 'Add a key' }).click();
  const grave = [];
  grave.push(...(await looks(session, { name: 'dialog-add-key' })).grave);
  await dialog(page).getByRole('button', { name: 'Make a key' }).click();
  const shown = dialog(page).locator('pre[aria-label="key"]');
  await shown.waitFor();
  const key = (await shown.innerText()).trim();
  grave.push(...(await looks(session, { name: 'dialog-key' })).grave);
  // A click beside it must not lose it.
  await page.mouse.click(5, 5);
  must(await shown.isVisible(), 'a click outside lost the key');
  await dialog(page).getByRole('button', { name: 'I have stored the key' }).click();
  await closed(page);
  await page.reload();
  await page.getByRole('tabpanel').getByRole('row').nth(1).waitFor();
  must(!(await page.content()).includes(key), 'the key is shown again');
  return { key, grave };
}

/** Keys of the service whose page is open: id and state, in the order of the page. */
const keysOf = (page) =>
  page.getByRole('tabpanel').locator('tbody tr').evaluateAll((rows) => rows.map((it) => ({ state: it.cells[0].innerText.trim(), id: it.cells[1].innerText.trim() })));

export async function keys_are(session, { states }) {
  await becomes('keys', async () => (await keysOf(session.page)).map((it) => it.state).sort(), [...states].sort());
  return { keys: await keysOf(session.page) };
}

/** Revokes a key by its id, which has to be typed in part. */
export async function revoke_key(session, { id }) {
  const { page } = session;
  await page.getByRole('row').filter({ hasText: id }).getByRole('button', { name: 'Revoke' }).click();
  const { grave } = await looks(session, { name: 'dialog-revoke-key' });
  const sure = dialog(page).getByRole('button', { name: 'Revoke the key' });
  must(await sure.isDisabled(), 'it can be revoked without being sure');
  await dialog(page).getByRole('textbox').fill(id.slice(-6));
  await sure.click();
  await closed(page);
  await until('the key revoked', async () => {
    const seen = await keysOf(page);
    return { done: seen.find((it) => it.id === id)?.state === 'revoked', seen };
  });
  return { grave };
}

/** Revokes the service whose page is open; says how the page calls it then. */
export async function revoke_service(session, { service }) {
  const { page } = session;
  await page.locator('.page-actions').getByRole('button', { name: 'Revoke', exact: true }).first().click();
  const { grave } = await looks(session, { name: 'dialog-revoke-service' });
  const warned = await dialog(page).innerText();
  await dialog(page).getByRole('textbox').fill(service);
  await dialog(page).getByRole('button', { name: 'Revoke the service' }).click();
  await closed(page);
  await page.locator('.page-head .badge').filter({ hasText: 'revoked' }).waitFor();
  return { grave, warned };
}

/** Opens a method; says what it takes and answers. */
export async function method_schemas(session, { service, method }) {
  const { page } = session;
  await service_tab(session, { service, tab: 'Methods' });
  const fold = page.getByRole('rowheader', { name: method }).getByRole('button');
  await fold.click();
  const of = (name) => page.getByRole('group', { name: `${name} schema` });
  await of('Input').waitFor();
  const [input, output] = [await of('Input').innerText(), await of('Output').innerText()];
  await of('Input').getByRole('button', { name: 'JSON' }).click();
  await of('Input').locator('[aria-label="Input schema"]').getByText('fields').first().waitFor();
  return { input, output, methods: await page.getByRole('rowheader').allInnerTexts() };
}

/** The instances of a service, as rows of texts. */
export async function instances(session, { service, count }) {
  const { page } = session;
  await service_tab(session, { service, tab: 'Overview' });
  const rows = page.locator('section.section').filter({ has: page.getByRole('heading', { name: 'Instances' }) }).locator('tbody tr');
  await becomes('instances', () => rows.count(), count);
  const standing = await page.locator('.page-head .badge').first().innerText();
  return { standing: standing.trim(), rows: await rows.evaluateAll((all) => all.map((it) => [...it.cells].map((one) => one.innerText.trim()))) };
}

/** The line of a service in the list, once it says what it should. */
export async function service_line(session, { service, pattern }) {
  const { page } = session;
  if (new URL(page.url()).pathname !== '/services') await page.getByRole('link', { name: 'Services', exact: true }).first().click();
  const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: service, exact: true }) });
  const read = async () => {
    const dot = await row.locator('.dot').first().getAttribute('aria-label');
    return `${dot}: ${(await row.innerText()).replaceAll('\n', ' ')}`;
  };
  await row.waitFor();
  await until(`${service} as ${pattern}`, async () => {
    const seen = await read();
    return { done: new RegExp(pattern).test(seen), seen };
  });
  return { line: await read() };
}
