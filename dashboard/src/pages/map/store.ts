// What the map knows now: topology and loads from the stream, or, until it tells the first map, from asking every five seconds.
// Loads of another sequence than the topology's are dropped: their indexes mean something else.
// Invariant: a service that is told again as it was stays the same object.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get } from '@/api/client';
import { runtimeNow, subscribe } from '@/api/live';
import { ApiError } from '@/api/problem';
import type { Link, LiveEvents, LiveMap, LiveService } from '@/api/types';
import { NO_LOADS, pairKey, readLoads, type Loads } from './model';
import { keepSame } from './same';

export const WINDOW_MS = 60_000;
const ASK_EVERY_MS = 5_000;
const HISTORY_MAX = 60;

export interface Topology {
  services: LiveService[];
  links: Link[];
}

/** Null until something was told. */
export const topology = signal<Topology | null>(null);
export const loads = signal<Loads>(NO_LOADS);
/** Calls per second of all services together, the last sixty readings. */
export const pulse = signal<readonly number[]>([]);

/** The runtime's clock in steps of `ASK_EVERY_MS`: for what becomes old by itself, as certificates do. */
export const slowClock = signal(runtimeNow());

/** Why nothing is told: neither the stream nor asking has an answer. `sinceUnixMs`: since when; null before the first answer. */
export const silence = signal<{ error: ApiError; sinceUnixMs: number | null } | null>(null);

/** Of the map that the stream told; below 0 it has told none. */
let sequence = -1;
let askedUnixMs: number | null = null;

function tellMap(event: LiveEvents['map']): void {
  sequence = event.sequence;
  silence.value = null;
  setTopology(event.services, event.links);
}

function setTopology(services: LiveService[], links: Link[]): void {
  topology.value = { services: keepSame(topology.peek()?.services ?? [], services, (it) => it.name), links };
}

function tellLoad(event: LiveEvents['load']): void {
  const now = topology.peek();
  if (!now || event.sequence !== sequence) return;
  setLoads(readLoads(now.services, now.links, event));
}

function setLoads(next: Loads): void {
  loads.value = next;
  let sum = 0;
  for (const it of next.services.values()) sum += it.per_second;
  pulse.value = [...pulse.peek(), sum].slice(-HISTORY_MAX);
}

/** A whole map, as `GET /map` answers. */
export function tellAll(map: LiveMap): void {
  sequence = -1;
  setTopology(map.services, map.links);
  setLoads({
    services: new Map(map.services.flatMap((it) => (it.served ? [[it.name, it.served] as const] : []))),
    links: new Map(map.links.flatMap((it) => (it.load ? [[pairKey(it.from, it.to), it.load] as const] : []))),
  });
}

/** Keeps the map fresh while a component that calls it is there. */
export function useMapNews(): void {
  useEffect(() => {
    const stop = subscribe({ topics: ['map'], query: { window_ms: WINDOW_MS }, on: { map: tellMap, load: tellLoad } });
    const asking = new AbortController();
    const ask = async () => {
      slowClock.value = runtimeNow();
      // From the first map on the stream says itself how old it is.
      if (document.hidden || sequence >= 0) return;
      try {
        const map = await get<LiveMap>('/map', { window_ms: WINDOW_MS }, asking.signal);
        if (asking.signal.aborted || sequence >= 0) return;
        tellAll(map);
        askedUnixMs = Date.now();
        silence.value = null;
      } catch (error) {
        if (error instanceof ApiError && sequence < 0) silence.value = { error, sinceUnixMs: askedUnixMs };
      }
    };
    slowClock.value = runtimeNow();
    const first = setTimeout(ask, 1_500);
    const timer = setInterval(ask, ASK_EVERY_MS);
    return () => {
      stop();
      asking.abort();
      clearTimeout(first);
      clearInterval(timer);
      forgetNumbers();
    };
  }, []);
}

/** What was counted is not shown to whoever comes back later; who is there is, until it is told anew. */
function forgetNumbers(): void {
  sequence = -1;
  silence.value = null;
  loads.value = NO_LOADS;
  pulse.value = [];
}
