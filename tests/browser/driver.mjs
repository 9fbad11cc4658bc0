// A browser at the other end of two pipes: one JSON command a line comes in, one JSON answer a line goes out.
//
//   → {"id":1,"step":"login","with":{"username":"ada"}}
//   ← {"event":"answer","id":1,"ok":true,"found":{…},"faults":[…]}
//
// The first line is the setting: {"origin","screens","chromium","dashboard"}. What happens in between is decided by the
// test that writes the lines; what a step does is in steps/. Faults are what no page may do, whatever the step: errors
// in the console, exceptions, requests to foreign hosts, text that ran as a program. Ends when its standard input does,
// and takes the browser with it.

import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Session } from './session.mjs';

/** Every function that a file of `steps/` exports, by its name. */
async function allSteps() {
  const folder = new URL('./steps/', import.meta.url);
  const found = new Map();
  for (const file of (await readdir(folder)).filter((it) => it.endsWith('.mjs')).sort()) {
    for (const [name, run] of Object.entries(await import(new URL(file, folder)))) {
      if (found.has(name)) throw new Error(`two steps are called ${name}`);
      found.set(name, run);
    }
  }
  return found;
}

const STEPS = await allSteps();

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function answer(session, { id, step, with: given }) {
  const run = STEPS.get(step);
  if (run === undefined) {
    say({ event: 'answer', id, ok: false, error: `no step ${step}; there are ${[...STEPS.keys()].join(', ')}` });
    return;
  }
  try {
    const found = await run(session, given ?? {});
    say({ event: 'answer', id, ok: true, found: found ?? {}, faults: await session.takeFaults() });
  } catch (error) {
    const shown = await session.screenshot(`failed-${step}`).catch(() => 'no screenshot could be made');
    const url = session.page?.url();
    const text = await session.words().catch(() => '');
    const faults = await session.takeFaults().catch(() => []);
    say({ event: 'answer', id, ok: false, error: String(error.stack ?? error), shown, url, text, faults });
  }
}

async function main() {
  let session;
  const stop = async () => {
    await session?.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    if (session === undefined) {
      session = await Session.start(asked);
      say({ event: 'ready', version: session.version });
    } else {
      await answer(session, asked);
    }
  }
  await stop();
}

main().catch((error) => {
  say({ event: 'failed', error: String(error.stack ?? error) });
  process.exit(1);
});
