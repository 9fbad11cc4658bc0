// The live stream of this tab: one EventSource for all pages. Whoever wants events subscribes to topics with filters; the
// stream is opened with the union and opened anew when that changes. It reconnects by itself (0.5 s doubling to 15 s),
// rests while the tab is hidden for a minute, notices a silent line by the missing heartbeat, and tells subscribers to fetch again
// whenever something may have been missed (`onGap`). Invariant: `liveState.value.kind === 'live'` only while events arrive.
import { signal } from '@preact/signals';
import { apiUrl, type Query } from './client';
import type { LiveEvents } from './types';

export type Topic = 'map' | 'ops' | 'logs';
export type LiveKind = 'connecting' | 'live' | 'stale' | 'paused' | 'off';

/** `sinceUnixMs`: when it became so; for `stale` and `paused`, when the last event arrived. */
export interface LiveState {
  kind: LiveKind;
  sinceUnixMs: number;
}

export interface Subscription {
  topics: Topic[];
  /** Filters of /tail (ops), /logs (logs) and `window_ms`; of two subscribers with one name, the later wins. */
  query?: Query;
  on: { [K in keyof LiveEvents]?: (event: LiveEvents[K]) => void };
  /** Something may have been missed (a new stream): fetch what you show again. Not called for the first stream. */
  onGap?: () => void;
}

const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 15_000;
const HIDDEN_MS_MAX = 60_000;
const HEARTBEATS_MISSED_MAX = 1.4;
const EVENTS = ['hello', 'map', 'change', 'load', 'ops', 'logs', 'quiet', 'expired', 'bye'] as const;

export const liveState = signal<LiveState>({ kind: 'off', sinceUnixMs: Date.now() });
export const runtimeHello = signal<LiveEvents['hello'] | null>(null);
/** Runtime's clock minus ours, milliseconds. */
export const clockSkewMs = signal(0);

/** The runtime's clock, unix milliseconds: what its times are compared with. */
export const runtimeNow = (): number => Date.now() + clockSkewMs.peek();

/** When the last event arrived while the stream is down or rests; null otherwise. Subscribes the caller. */
export function liveStaleSince(): number | null {
  const { kind, sinceUnixMs } = liveState.value;
  return kind === 'stale' || kind === 'paused' ? sinceUnixMs : null;
}

const subscriptions = new Set<Subscription>();
let source: EventSource | null = null;
let openUrl = '';
let heartbeatMs = 5_000;
let lastEventUnixMs = 0;
let openedUnixMs = 0;
let failures = 0;
let everOpened = false;
let running = false;
let retry: ReturnType<typeof setTimeout> | undefined;
let watch: ReturnType<typeof setInterval> | undefined;
let resting: ReturnType<typeof setTimeout> | undefined;
let regroup: ReturnType<typeof setTimeout> | undefined;
/** The map that was told last, with its changes; subscribers are told whole maps. */
let told: LiveEvents['map'] | null = null;
/** What arrived and has not had its turn. */
const waiting: (() => void)[] = [];
let turns: MessageChannel | undefined;
let probe: () => Promise<boolean> = async () => true;

/** Called by `app/session.ts`: asks whether the session is still good after the stream broke; false stops the stream. */
export function probeWith(ask: () => Promise<boolean>): void {
  probe = ask;
}

/** Takes part in the stream until the returned function is called. */
export function subscribe(subscription: Subscription): () => void {
  subscriptions.add(subscription);
  regroupSoon();
  return () => {
    subscriptions.delete(subscription);
    regroupSoon();
  };
}

/** Starts the stream; called once there is a session. */
export function startLive(): void {
  if (running) return;
  running = true;
  everOpened = false;
  document.addEventListener('visibilitychange', onVisibility);
  watch = setInterval(watchHeartbeat, 1_000);
  open();
}

/** Ends it (logged out). */
export function stopLive(): void {
  running = false;
  document.removeEventListener('visibilitychange', onVisibility);
  clearInterval(watch);
  clearTimeout(resting);
  close();
  become('off');
}

/** Drops the stream and opens it at once: the button of the header. */
export function reconnectNow(): void {
  if (!running) return;
  failures = 0;
  open();
}

/** Which URL the present subscribers need; pure, for tests. */
export function streamUrl(wanted: Iterable<Subscription>): string {
  const topics = new Set<Topic>();
  const query: Query = {};
  for (const it of wanted) {
    it.topics.forEach((topic) => topics.add(topic));
    Object.assign(query, it.query);
  }
  return apiUrl('/live', { ...query, topics: [...topics].sort().join(',') });
}

/** Milliseconds to wait after `failures` in a row; `roll` is 0..1. */
export function backoffMs(failures: number, roll: number): number {
  const ladder = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(failures, 10));
  return Math.round(ladder * (0.75 + roll * 0.5));
}

function become(kind: LiveKind): void {
  if (liveState.peek().kind === kind) return;
  const since = kind === 'stale' || kind === 'paused' ? lastEventUnixMs || Date.now() : Date.now();
  liveState.value = { kind, sinceUnixMs: since };
}

function regroupSoon(): void {
  clearTimeout(regroup);
  regroup = setTimeout(() => {
    if (running && liveState.peek().kind !== 'paused' && streamUrl(subscriptions) !== openUrl) open();
  }, 30);
}

function close(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
  openUrl = '';
  told = null;
  waiting.length = 0;
}

function open(): void {
  close();
  openUrl = streamUrl(subscriptions);
  if (liveState.peek().kind === 'off') become('connecting');
  const mine = new EventSource(openUrl);
  source = mine;
  openedUnixMs = Date.now();
  for (const name of EVENTS) {
    mine.addEventListener(name, (event) => {
      if (source === mine) receive(name, event as MessageEvent<string>);
    });
  }
  mine.onerror = () => {
    if (source === mine) void broken();
  };
}

function receive<K extends (typeof EVENTS)[number]>(name: K, message: MessageEvent<string>): void {
  lastEventUnixMs = Date.now();
  failures = 0;
  if (name === 'expired') return void broken();
  if (name === 'bye') return void later();
  become('live');
  inTurn(() => read(name, JSON.parse(message.data || '{}') as LiveEvents[K]));
}

function read<K extends (typeof EVENTS)[number]>(name: K, event: LiveEvents[K]): void {
  if (name === 'hello') greet(event as LiveEvents['hello']);
  if (name === 'map') told = event as LiveEvents['map'];
  if (name !== 'change') return hand(name, event);
  told = changed(told, event as LiveEvents['change']);
  // A change of a map that is not here: a new stream begins with a whole one.
  if (told) hand('map', told);
  else open();
}

/** The map that a change makes; null: it is one of another map. What did not change stays the same object. Pure. */
export function changed(map: LiveEvents['map'] | null, change: LiveEvents['change']): LiveEvents['map'] | null {
  if (map?.sequence !== change.of) return null;
  const [services, links] = [[...map.services], [...map.links]];
  for (const [at, it] of change.services) services[at] = it;
  for (const [at, it] of change.links) links[at] = it;
  return { sequence: change.sequence, services, links };
}

function hand<K extends (typeof EVENTS)[number]>(name: K, event: LiveEvents[K]): void {
  for (const it of [...subscriptions]) tell(() => (it.on[name] as ((event: LiveEvents[K]) => void) | undefined)?.(event));
}

/**
 * Each event is read and drawn in a task of its own: a busy tab gets several in one piece, and all of them at once would keep it
 * from answering. Not by a timer, which a tab in the background gets once a second.
 */
function inTurn(what: () => void): void {
  waiting.push(what);
  if (!turns) {
    turns = new MessageChannel();
    turns.port1.onmessage = () => waiting.shift()?.();
  }
  turns.port2.postMessage(null);
}

function greet(hello: LiveEvents['hello']): void {
  heartbeatMs = hello.heartbeat_ms;
  clockSkewMs.value = hello.now_unix_ms - Date.now();
  runtimeHello.value = hello;
  if (everOpened) for (const it of [...subscriptions]) tell(() => it.onGap?.());
  everOpened = true;
}

/** A subscriber that throws must not take the others with it. */
function tell(what: () => void): void {
  try {
    what();
  } catch (error) {
    reportError(error);
  }
}

async function broken(): Promise<void> {
  close();
  if (!running) return;
  become(everOpened ? 'stale' : 'connecting');
  const good = await probe().catch(() => true);
  if (!good || !running || source) return;
  later();
}

function later(): void {
  close();
  become(everOpened ? 'stale' : 'connecting');
  retry = setTimeout(open, backoffMs(failures++, Math.random()));
}

function watchHeartbeat(): void {
  const silent = Date.now() - Math.max(lastEventUnixMs, openedUnixMs) > heartbeatMs * HEARTBEATS_MISSED_MAX;
  if (source && silent) void broken();
}

function onVisibility(): void {
  clearTimeout(resting);
  if (document.hidden) {
    resting = setTimeout(() => {
      close();
      become('paused');
    }, HIDDEN_MS_MAX);
  } else if (!source) {
    reconnectNow();
  }
}
