// The log as a feed: pages of what was written, and what is written right now.
import { useEffect } from 'preact/hooks';
import { get } from '@/api/client';
import { runtimeNow, subscribe } from '@/api/live';
import type { LogLine, LogsPage } from '@/api/types';
import type { Feed } from '@/telemetry/feed';
import { useFeed } from '@/telemetry/feeds';
import { isOpen } from '@/telemetry/range';
import { above, LINES_MAX } from './merge';
import { asked, liveAsked, wanted, writeFilters, type LogFilters } from './query';

const PAGE = 300;

/** The lines that match; `follow` takes in what is written from now on. */
export function useLogs(filters: LogFilters, follow: boolean): Feed<LogLine> {
  const feed = useFeed('logs', writeFilters(filters).toString(), () => rules(filters));
  const on = follow && isOpen(filters.range) && feed.taken;
  useEffect(() => (on ? followed(feed, filters) : undefined), [feed, on]);
  return feed;
}

function followed(feed: Feed<LogLine>, filters: LogFilters): () => void {
  return subscribe({
    topics: ['logs'],
    query: liveAsked(filters),
    on: {
      // A stream has begun: what was written while there was none is asked for.
      hello: () => void feed.refresh(),
      logs: ({ logs, missed }) => feed.arrived(logs.filter((it) => wanted(filters, it)), missed),
    },
  });
}

function rules(filters: LogFilters) {
  return {
    key: (it: LogLine) => it.id,
    at: (it: LogLine) => it.at_unix_ms,
    page: async (ask: { limit: number; cursor: string | null; until: number | null }, signal: AbortSignal) => {
      const until = ask.until === null ? {} : { until: ask.until };
      const page = await get<LogsPage>('/logs', { ...asked(filters, runtimeNow()), ...until, limit: ask.limit, cursor: ask.cursor }, signal);
      return { items: page.logs, next: page.next ?? null };
    },
    merge: above,
    most: LINES_MAX,
    first: PAGE,
    further: PAGE,
    refresh: PAGE,
  };
}
