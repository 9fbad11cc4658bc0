// Traces: one that is open, and those that failed.

/** Opens the operation whose row holds `op`, and finds what it carried and what was said in it. */
export async function trace_shows(session, { op, payload, log }) {
  const { page } = session;
  const row = page.getByRole('row', { name: op }).first();
  await row.click();
  const panel = page.getByRole('complementary', { name: /^Operation/ });
  await panel.getByText(payload).first().waitFor();
  const rows = await page.getByRole('row').count();
  // What was said belongs to the operation it was said in: the request, above its calls.
  await page.getByRole('row').first().click();
  await panel.getByText(log).first().waitFor();
  return { rows };
}

/** Opens the newest traces that failed, and in each every operation that is in view; says what payloads were shown. */
export async function open_failed_traces(session, { count }) {
  const { page } = session;
  await session.open('/traces?failed=true');
  const links = page.getByRole('grid').getByRole('link');
  await links.first().waitFor();
  const paths = await links.evaluateAll((all) => all.map((it) => it.getAttribute('href')));
  const panel = page.getByRole('complementary', { name: /^Operation/ });
  const payloads = [];
  const opened = [];
  for (const path of [...new Set(paths)].slice(0, count)) {
    await session.open(path);
    const rows = page.getByRole('row');
    await rows.first().waitFor();
    const many = Math.min(await rows.count(), 6);
    for (let at = 0; at < many; at += 1) {
      await rows.nth(at).click();
      const shown = panel.locator('[aria-label="Payload"], [aria-label="raw payload"]');
      await shown.or(panel.getByText(/None was kept|carry no payload/)).first().waitFor();
      payloads.push(...(await shown.allInnerTexts()));
    }
    opened.push({ path, rows: many });
  }
  return { opened, payloads };
}
