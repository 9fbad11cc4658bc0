// Going round the console for long: what a page leaves behind when one goes on to the next.

import { go } from './hands.mjs';

/** The path of the newest trace, from the list of traces. */
export async function newest_trace(session) {
  await session.open('/traces');
  const link = session.page.getByRole('grid').getByRole('link').first();
  await link.waitFor();
  return { path: await link.getAttribute('href') };
}

/** Visits `paths` in turns by links, `stay_ms` each, and ends on the first of them; says which tasks kept the main thread, by the wall's clock. */
export async function round(session, { paths, stay_ms: stay }) {
  const tasks = [];
  await session.takeLongTasks();
  for (const path of [...paths.slice(1), paths[0]]) {
    await go(session, { path });
    await session.page.waitForTimeout(stay);
    const long = await session.takeLongTasks();
    tasks.push(...long.map((it) => ({ path, ms: it.ms })));
  }
  return { tasks };
}

/** Goes round for `seconds`, and once at least; says also what the page holds after each round. */
export async function tour(session, { paths, stay_ms, seconds }) {
  const over = Date.now() + seconds * 1_000;
  const samples = [];
  const tasks = [];
  do {
    tasks.push(...(await round(session, { paths, stay_ms })).tasks);
    samples.push(await session.memory());
  } while (Date.now() < over);
  tasks.sort((a, b) => b.ms - a.ms);
  return { samples, tasks: tasks.length, longest: tasks.slice(0, 5) };
}
