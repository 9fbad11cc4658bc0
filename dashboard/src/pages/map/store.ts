// What the map knows now: topology and loads from the stream, or, while there is no stream, from asking every five seconds.
// Loads of another sequence than the topology's are dropped: their indexes mean something else.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get } from '@/api/client';
import { liveState, subscribe } from '@/api/live';
import type { Link, LiveEvents, LiveMap, LiveService } from '@/api/types';
import { NO_LOADS, pairKey, readLoads, type Loads } from './model';

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

let sequence = -1;

function tellMap(event: LiveEvents['map']): void {
  sequence = event.sequence;
  topology.value = { services: event.services, links: event.links };
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
  topology.value = { services: map.services, links: map.links };
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
      if (document.hidden || (liveState.peek().kind === 'live' && sequence >= 0)) return;
      const map = await get<LiveMap>('/map', { window_ms: WINDOW_MS }, asking.signal).catch(() => null);
      if (map && !asking.signal.aborted && sequence < 0) tellAll(map);
    };
    const first = setTimeout(ask, 1_500);
    const timer = setInterval(ask, ASK_EVERY_MS);
    return () => {
      stop();
      asking.abort();
      clearTimeout(first);
      clearInterval(timer);
      sequence = -1;
    };
  }, []);
}
