// What hands do on any page.

/** Clicks what has this role and name. */
export async function click(session, { role, name }) {
  await session.page.getByRole(role, { name }).first().click();
}

/** Goes to a path as a link of the page does: without loading the document again. */
export async function go(session, { path }) {
  await session.page.evaluate((to) => {
    const link = document.createElement('a');
    link.href = to;
    document.body.append(link);
    link.click();
    link.remove();
  }, path);
}

/** Presses keys, one after the other. */
export async function keys(session, { keys: pressed }) {
  for (const key of pressed) await session.page.keyboard.press(key);
}
