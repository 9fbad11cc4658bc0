// Lists as they were left: whoever comes back from a trace finds the list of traces with what was loaded of it, and not its first
// page. The newest is asked for at once, as always.
//
// Refuses to keep many: a list may have thousands of lines.
import { useEffect, useMemo } from 'preact/hooks';
import { entry } from '@/route/router';
import { Feed, type Rules } from './feed';

const FEEDS_MAX = 3;
const feeds = new Map<string, Feed<unknown>>();

/** The feed of these filters (`key`), the same one when one comes back to the same entry of the history; runs while it is shown. */
export function useFeed<T>(name: string, key: string, rules: () => Rules<T>): Feed<T> {
  const feed = useMemo(() => feedAt(`${entry()} ${name} ${key}`, rules), [key]);
  useEffect(() => feed.start(), [feed]);
  return feed;
}

function feedAt<T>(at: string, rules: () => Rules<T>): Feed<T> {
  const feed = (feeds.get(at) as Feed<T> | undefined) ?? new Feed<T>(rules());
  feeds.delete(at);
  feeds.set(at, feed as Feed<unknown>);
  for (const oldest of feeds.keys()) {
    if (feeds.size <= FEEDS_MAX) break;
    feeds.delete(oldest);
  }
  return feed;
}
