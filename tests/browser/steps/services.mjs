// Services: making one.

/** Makes a service by the dialog; says the key, which is gone from the page afterwards. */
export async function create_service(session, { name }) {
  const { page } = session;
  await page.getByRole('link', { name: 'Services', exact: true }).click();
  await page.getByRole('button', { name: 'New service' }).first().click();
  await page.getByRole('dialog').getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Make it and show the key' }).click();
  const shown = page.getByRole('dialog').locator('pre[aria-label="key"]');
  await shown.waitFor();
  const key = (await shown.innerText()).trim();
  await session.screenshot('key-shown');
  await page.getByRole('button', { name: 'I have stored the key' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  if ((await page.content()).includes(key)) throw new Error('the key is still in the page after the dialog was closed');
  await page.getByRole('searchbox', { name: 'Find a service' }).fill(name);
  await page.getByRole('link', { name }).first().waitFor();
  return { key };
}
