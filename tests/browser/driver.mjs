// A browser at the other end of two pipes: one JSON command a line comes in, one JSON answer a line goes out.
//
//   → {"id":1,"step":"login","with":{"username":"ada"}}
//   ← {"event":"answer","id":1,"ok":true,"found":{…},"faults":[…]}
//
// The first line is the setting: {"origin","screens","chromium","dashboard"}. What happens in between is decided by the
// test that writes the lines; what a step does is in steps/. Faults are what no page may do, whatever the step: errors
// in the console, exceptions, requests to foreign hosts, text that ran as a program. Ends when its standard input does,
// and takes the browser with it.

import { createInterface } from 'node:readline';
import { Session } from './session.mjs';
import * as entry from './steps/entry.mjs';
import * as hands from './steps/hands.mjs';
import * as looks from './steps/looks.mjs';
import * as map from './steps/map.mjs';
import * as measure from './steps/measure.mjs';
import * as traces from './steps/traces.mjs';
import * as services from './steps/services.mjs';
import * as recovery from './steps/recovery.mjs';

const STEPS = { ...entry, ...hands, ...looks, ...map, ...measure, ...traces, ...services, ...recovery };

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function answer(session, { id, step, with: given }) {
  const run = STEPS[step];
  if (run === undefined) {
    say({ event: 'answer', id, ok: false, error: `no step ${step}; there are ${Object.keys(STEPS).join(', ')}` });
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
