// Coming in: the first admin, logging in. Passwords and tokens come from the test, never from here.

import { NOBODY } from '../session.mjs';

/** Makes the first admin by the link that the runtime printed; ends on the map. */
export async function set_up(session, { token, username, password }) {
  const { page } = session;
  await session.expecting([NOBODY], async () => {
    await session.open(`/setup#token=${token}`);
    await page.getByRole('button', { name: 'Make the admin and log in' }).waitFor();
    const bar = await page.evaluate(() => location.href);
    if (bar.includes(token)) throw new Error(`the token is still in the address bar: ${bar}`);
    await page.getByLabel('Name', { exact: true }).fill(username);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Make the admin and log in' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  });
  return { url: page.url() };
}

/** Logs in at the login page that is open. */
export async function log_in(session, { username, password }) {
  const { page } = session;
  await page.getByLabel('Name', { exact: true }).fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
}

/** Tells the watch over the page that nobody will be logged in: what the API then refuses is no fault. */
export async function expect_nobody(session) {
  session.expected.push(NOBODY);
}
