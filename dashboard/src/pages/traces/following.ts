// The list of traces as a feed: pages, and what ends right now. An ended root is shown at once where there is no filter; with one
// it is only a reason to ask the list again.
import { useEffect } from 'preact/hooks';
import { get } from '@/api/client';
import { runtimeNow, subscribe } from '@/api/live';
import type { LiveEvents, TraceLine, TracesPage } from '@/api/types';
import type { Feed } from '@/telemetry/feed';
import { useFeed } from '@/telemetry/feeds';
import { isOpen } from '@/telemetry/range';
import { fromRoots, LINES_MAX, merge } from './merge';
import { asked, opsAsked, rootsTellAll, writeFilters, type TraceFilters } from './query';

/** Traces of the first page: enough for the scatter to say something. */
const FIRST = 500;
const FURTHER = 200;
const REFRESH = 250;
/** Wait before the list is asked again because something ended, and without a reason (something began and still runs). */
const SOON_MS = 1_500;
const ANYWAY_MS = 5_000;

/** The traces that match; `follow` takes in what ends from now on. */
export function useTraces(filters: TraceFilters, follow: boolean): Feed<TraceLine> {
  const feed = useFeed('traces', writeFilters(filters).toString(), () => rules(filters));
  const on = follow && isOpen(filters.range) && feed.taken;
  useEffect(() => (on ? followed(feed, filters) : undefined), [feed, on]);
  return feed;
}

function rules(filters: TraceFilters) {
  return {
    key: (it: TraceLine) => it.trace_id,
    at: (it: TraceLine) => it.started_at_unix_ms,
    page: async (ask: { limit: number; cursor: string | null; until: number | null }, signal: AbortSignal) => {
      const query = asked(filters, runtimeNow());
      const until = ask.until === null ? {} : { until: ask.until };
      const page = await get<TracesPage>('/traces', { ...query, ...until, limit: ask.limit, cursor: ask.cursor }, signal);
      return { items: page.traces, next: page.next ?? null };
    },
    merge,
    most: LINES_MAX,
    first: FIRST,
    further: FURTHER,
    refresh: REFRESH,
  };
}

function followed(feed: Feed<TraceLine>, filters: TraceFilters): () => void {
  const tellAll = rootsTellAll(filters);
  let soon: ReturnType<typeof setTimeout> | undefined;
  const askSoon = () => {
    soon ??= setTimeout(() => {
      soon = undefined;
      void feed.refresh();
    }, SOON_MS);
  };
  const ended = ({ ops, missed }: LiveEvents['ops']) => {
    if (tellAll) feed.arrived(fromRoots(ops), missed);
    if (ops.length > 0 || missed > 0) askSoon();
  };
  const stop = subscribe({ topics: ['ops'], query: { ...opsAsked(filters), roots: tellAll || null }, on: { hello: askSoon, ops: ended } });
  const anyway = setInterval(() => {
    if (!document.hidden) askSoon();
  }, ANYWAY_MS);
  return () => {
    stop();
    clearTimeout(soon);
    clearInterval(anyway);
  };
}
