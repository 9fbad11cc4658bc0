// What a page costs: tasks that keep its main thread, the first paint; and, by hand, where the time goes.

/** Opens a page without anything cached and tells when it was first painted, and what it loaded. */
export async function first_paint(session, { path }) {
  await session.cdp.send('Network.clearBrowserCache');
  await session.open(path);
  const found = await session.page.evaluate(async () => {
    const painted = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    for (let look = 0; look < 100 && painted() === undefined; look += 1) {
      await new Promise((done) => setTimeout(done, 20));
    }
    const files = performance.getEntriesByType('resource').filter((it) => !it.name.includes('/api/'));
    return {
      first_paint_ms: Math.round(painted() ?? -1),
      files: files.map((it) => ({ name: new URL(it.name).pathname, bytes: it.encodedBodySize })),
    };
  });
  return found;
}

/** Begins to record what the main thread does, with the processor's time of each task. */
export async function record(session) {
  const categories = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'];
  await session.context.browser().startTracing(session.page, { screenshots: false, categories });
}

/**
 * Ends the recording: tasks that took more than `over_ms` of processor time, which other programs of the machine do not
 * lengthen, and what was in them, longest first.
 */
export async function recorded(session, { over_ms: over = 50 }) {
  const { traceEvents: events } = JSON.parse((await session.context.browser().stopTracing()).toString());
  const names = events.filter((it) => it.name === 'thread_name' && it.args.name === 'CrRendererMain');
  const tasks = events.filter((it) => it.ph === 'X' && it.name === 'RunTask' && names.some((one) => one.tid === it.tid && one.pid === it.pid));
  const long = tasks.filter((it) => (it.tdur ?? it.dur) > over * 1_000);
  const inside = (task) => events.filter((it) => it.ph === 'X' && !it.name.endsWith('RunTask') && it.pid === task.pid && it.tid === task.tid && it.ts >= task.ts && it.ts + it.dur <= task.ts + task.dur && (it.tdur ?? it.dur) > 5_000);
  const told = (it) => {
    const where = it.args?.data?.functionName ?? it.args?.data?.type ?? '';
    return `${it.name}${where ? ` ${where}` : ''} ${Math.round((it.tdur ?? it.dur) / 1_000)} ms`;
  };
  const waits = tasks.filter((it) => it.dur > over * 1_000).map((it) => Math.round(it.dur / 1_000));
  return {
    tasks: tasks.length,
    // By the wall's clock: also what the thread waited for a processor.
    wall: { over: waits.length, longest_ms: Math.max(0, ...waits) },
    long: long.map((it) => ({
      cpu_ms: Math.round((it.tdur ?? it.dur) / 1_000),
      wall_ms: Math.round(it.dur / 1_000),
      inside: inside(it).sort((a, b) => b.dur - a.dur).slice(0, 8).map(told),
    })),
  };
}

/** Lets time pass. */
export async function pass(session, { seconds }) {
  await session.page.waitForTimeout(seconds * 1_000);
}

/** Where the main thread spends its time for `seconds`: functions by time of their own. */
export async function profile(session, { seconds }) {
  await session.cdp.send('Profiler.enable');
  await session.cdp.send('Profiler.setSamplingInterval', { interval: 500 });
  await session.cdp.send('Profiler.start');
  await session.page.waitForTimeout(seconds * 1_000);
  const { profile: got } = await session.cdp.send('Profiler.stop');
  const names = new Map(got.nodes.map((it) => [it.id, it.callFrame]));
  const spent = new Map();
  got.samples.forEach((id, at) => {
    const frame = names.get(id);
    const name = `${frame.functionName || '(anonymous)'} ${frame.url.split('/').at(-1)}:${frame.lineNumber + 1}:${frame.columnNumber + 1}`;
    spent.set(name, (spent.get(name) ?? 0) + (got.timeDeltas[at] ?? 0));
  });
  const top = [...spent].sort((a, b) => b[1] - a[1]).slice(0, 25);
  return { top: top.map(([name, micros]) => ({ name, ms: Math.round(micros / 1_000) })) };
}
