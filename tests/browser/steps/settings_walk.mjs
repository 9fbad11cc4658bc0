// Settings, accounts and tokens, as an admin and as a viewer have them.

import { becomes, must, until } from '../page.mjs';
import { looks } from './looks.mjs';

const dialog = (page) => page.getByRole('dialog');
const closed = (page) => dialog(page).waitFor({ state: 'detached' });

/** Finds a setting on its page. */
async function rowOf(session, key) {
  const { page } = session;
  if (new URL(page.url()).pathname !== '/settings') await session.open('/settings');
  await page.getByRole('searchbox', { name: 'Find a setting' }).fill(key);
  const row = page.locator('.st-row').filter({ has: page.getByRole('heading', { name: key, exact: true }) });
  await row.waitFor();
  return row;
}

/** Picks a value of a setting that has a few; it applies at once and is marked as changed. */
export async function pick_setting(session, { key, value }) {
  const row = await rowOf(session, key);
  await row.getByRole('combobox', { name: key }).selectOption(value);
  await row.getByText('changed', { exact: true }).waitFor();
  await session.page.getByRole('status').getByText(`${key}: ${value}`).first().waitFor();
}

/** Types a value that is out of bounds; says what the field answers. Nothing is sent, and Escape takes it back. */
export async function refuse_setting(session, { key, value }) {
  const row = await rowOf(session, key);
  const field = row.getByRole('textbox', { name: key });
  const before = await field.inputValue();
  await field.fill(value);
  const why = row.locator('.st-editor-foot .bad');
  await why.waitFor();
  const said = await why.innerText();
  must(await row.getByRole('button', { name: 'Save' }).isDisabled(), 'it can be saved all the same');
  must((await field.getAttribute('aria-invalid')) === 'true', 'the field is not marked');
  await field.press('Enter');
  await field.press('Escape');
  await becomes('the field', () => field.inputValue(), before);
  return { why: said };
}

/** Types a value and saves it. */
export async function type_setting(session, { key, value }) {
  const row = await rowOf(session, key);
  await row.getByRole('textbox', { name: key }).fill(value);
  await row.getByRole('button', { name: 'Save' }).click();
  await row.getByText('changed', { exact: true }).waitFor();
  return { shown: await row.getByRole('textbox', { name: key }).inputValue(), beside: await row.innerText() };
}

/** Sets the default again. */
export async function reset_setting(session, { key }) {
  const row = await rowOf(session, key);
  await row.getByRole('button', { name: 'Reset' }).click();
  await row.getByText('changed', { exact: true }).waitFor({ state: 'detached' });
}

/** Waits until the trail of changes has a line with all these texts; says it. */
export async function trail_has(session, { texts }) {
  const { page } = session;
  if (new URL(page.url()).pathname !== '/settings/changes') await session.open('/settings/changes');
  const lines = () => page.locator('.st-trail tbody tr').allInnerTexts();
  return until(`a change with ${texts.join(', ')}`, async () => {
    const seen = (await lines()).map((it) => it.replaceAll(/\s+/g, ' '));
    const line = seen.find((it) => texts.every((text) => it.includes(text)));
    return { done: line !== undefined, found: { line }, seen: seen.slice(0, 5) };
  });
}

/** Makes an account; wrong ones are answered in their place first. */
export async function make_account(session, { username, password, role }) {
  const { page } = session;
  await session.open('/settings/accounts');
  await page.getByRole('button', { name: 'New account' }).click();
  const { grave } = await looks(session, { name: 'dialog-account' });
  const make = dialog(page).getByRole('button', { name: 'Make the account' });
  await dialog(page).getByLabel('Name').fill('Not Allowed');
  await dialog(page).getByLabel('First password', { exact: true }).fill('short');
  await make.click();
  await dialog(page).locator('.field .bad').first().waitFor();
  const refused = await dialog(page).locator('.field .bad').allInnerTexts();
  await dialog(page).getByLabel('Name').fill(username);
  await dialog(page).getByLabel('First password', { exact: true }).fill(password);
  await dialog(page).getByLabel('Role').selectOption(role);
  await make.click();
  await closed(page);
  await page.getByRole('rowheader', { name: username }).waitFor();
  return { refused, grave };
}

/** Opens the dialogs of an account and leaves them as they are. */
export async function account_dialogs(session, { username }) {
  const { page } = session;
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: username }) });
  const grave = [];
  for (const [button, name] of [['Set password', 'dialog-password'], ['Delete', 'dialog-delete-account']]) {
    await row.getByRole('button', { name: button }).click();
    grave.push(...(await looks(session, { name })).grave);
    await page.keyboard.press('Escape');
    await closed(page);
  }
  return { grave };
}

/** Deletes an account, after its name was typed. */
export async function delete_account(session, { username }) {
  const { page } = session;
  await session.open('/settings/accounts');
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: username }) });
  await row.getByRole('button', { name: 'Delete' }).click();
  await dialog(page).getByRole('textbox').fill(username);
  await dialog(page).getByRole('button', { name: 'Delete the account' }).click();
  await closed(page);
  await page.getByRole('rowheader', { name: username }).waitFor({ state: 'detached' });
}

/** Makes an API token; it is shown once. */
export async function make_token(session, { name, role }) {
  const { page } = session;
  await session.open('/settings/tokens');
  await page.getByRole('button', { name: 'New token' }).first().click();
  const grave = [...(await looks(session, { name: 'dialog-token' })).grave];
  await dialog(page).getByLabel('Name').fill(name);
  await dialog(page).getByLabel('Role').selectOption(role);
  await dialog(page).getByRole('button', { name: 'Make it and show it' }).click();
  const shown = dialog(page).locator('pre[aria-label="token"]');
  await shown.waitFor();
  const token = (await shown.innerText()).trim();
  grave.push(...(await looks(session, { name: 'dialog-token-shown' })).grave);
  await dialog(page).getByRole('button', { name: 'I have stored the token' }).click();
  await closed(page);
  await page.reload();
  await page.getByRole('rowheader', { name }).waitFor();
  must(!(await page.content()).includes(token), 'the token is shown again');
  return { token, grave };
}

/** Revokes an API token. */
export async function revoke_token(session, { name }) {
  const { page } = session;
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });
  await row.getByRole('button', { name: 'Revoke' }).click();
  const { grave } = await looks(session, { name: 'dialog-revoke-token' });
  await dialog(page).getByRole('button', { name: 'Revoke the token' }).click();
  await closed(page);
  await page.getByRole('rowheader', { name }).waitFor({ state: 'detached' });
  return { grave };
}

/** Logs out by the menu of the account; says where that leads. */
export async function log_out(session) {
  const { page } = session;
  await page.locator('.account > button').click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.waitForURL(/\/login/);
  return { url: page.url().slice(session.url('').length) };
}

/** The same where the runtime ends the session, and ends the live stream for it, long before its answer arrives. */
export async function log_out_slowly(session) {
  const { page } = session;
  const api = /\/api\/v1\/session$/;
  await page.route(api, async (route) => {
    if (route.request().method() !== 'DELETE') return route.fallback();
    const response = await route.fetch();
    await page.waitForTimeout(1_000);
    return route.fulfill({ response });
  });
  const found = await log_out(session);
  await page.unroute(api, { behavior: 'wait' });
  return found;
}

/** Tries a wrong password; says what the page answers. The name stays, the password does not. */
export async function wrong_password(session, { username, password }) {
  const { page } = session;
  const field = page.getByLabel('Password', { exact: true });
  await page.getByLabel('Name', { exact: true }).fill(username);
  await field.fill(password);
  const said = await session.expecting([/status of 401/], async () => {
    await page.getByRole('button', { name: 'Log in' }).click();
    const why = page.locator('.field .bad');
    await why.waitFor();
    return why.innerText();
  });
  must((await field.inputValue()) === '', 'the wrong password stays in its field');
  must((await page.getByLabel('Name', { exact: true }).inputValue()) === username, 'the name is gone');
  return { said, url: page.url() };
}

/** Opens a page and waits for a text; says which of these controls are on it and can be used. */
export async function can_use(session, { path, wait_for: awaited, controls }) {
  const { page } = session;
  await session.open(path);
  await page.getByRole('main').getByText(awaited).first().waitFor();
  const main = page.getByRole('main');
  const usable = [];
  for (const [role, name] of controls) {
    const all = await main.getByRole(role, { name }).all();
    for (const it of all) if (await it.isEnabled()) usable.push(`${role} ${name}`);
  }
  const typed = await main.locator('.st-value :is(input, select, textarea, button)').count();
  return { usable, editors: typed, says: (await main.innerText()).includes('read-only') };
}

/** Asks the API as the page's own session, with its CSRF token; says the status of each answer. */
export async function ask_api(session, { asks }) {
  return session.expecting([/status of 40[13]/], async () => ({
    statuses: await session.page.evaluate(async (all) => {
      const me = await (await fetch('/api/v1/session')).json();
      const headers = { 'content-type': 'application/json', 'x-csrf-token': me.csrf_token };
      const statuses = [];
      for (const [method, path, body] of all) {
        const answer = await fetch(`/api/v1${path}`, { method, headers, ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }) });
        statuses.push(answer.status);
      }
      return statuses;
    }, asks),
  }));
}
