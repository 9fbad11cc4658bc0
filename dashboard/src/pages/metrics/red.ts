// Rate, errors and durations as cards and lines. Pure.
import type { Red, RedPage } from '@/api/types';

export type SortWord = 'worst' | 'traffic' | 'slow' | 'name';
export type By = 'services' | 'routes';

/** A service, or a route of one. */
export interface Card {
  key: string;
  service: string;
  /** Absent for the service as a whole. */
  route?: { kind: string; name: string };
  red: Red;
}

export interface CardFilter {
  by: By;
  service: string;
  words: string;
  sort: SortWord;
}

/** `rpc Reserve`: how a route stands in the URL. */
export const routeWord = (route: { kind: string; name: string }): string => `${route.kind} ${route.name}`;

const cardKey = (service: string, route?: { kind: string; name: string }) => (route ? `${service} ${routeWord(route)}` : service);

/** The cards that fit, in order. */
export function cardsOf(page: RedPage, filter: CardFilter): Card[] {
  const words = filter.words.toLowerCase().split(/\s+/).filter(Boolean);
  const cards: Card[] = [];
  for (const it of page.services) {
    if (filter.service && it.service !== filter.service) continue;
    const service = it.service;
    if (filter.by === 'services') cards.push({ key: cardKey(service), service, red: it.total });
    else for (const { kind, name, red } of it.routes) cards.push({ key: cardKey(service, { kind, name }), service, route: { kind, name }, red });
  }
  const fits = (it: Card) => words.every((word) => it.key.toLowerCase().includes(word));
  return cards.filter(fits).sort((a, b) => ORDERS[filter.sort](a, b) || a.key.localeCompare(b.key));
}

const ORDERS: Record<SortWord, (a: Card, b: Card) => number> = {
  worst: (a, b) => badness(b.red) - badness(a.red) || b.red.p95_ms - a.red.p95_ms,
  traffic: (a, b) => b.red.count - a.red.count,
  slow: (a, b) => b.red.p95_ms - a.red.p95_ms,
  name: () => 0,
};

/**
 * The least share of failures that the counts are evidence for (lower end of the Wilson interval at 95 %), so that one
 * failure of one call does not stand above fifty of a thousand.
 */
export function badness({ count, errors }: { count: number; errors: number }): number {
  if (count === 0 || errors === 0) return 0;
  const z2 = 1.96 ** 2;
  const share = errors / count;
  const spread = 1.96 * Math.sqrt((share * (1 - share) + z2 / (4 * count)) / count);
  return (share + z2 / (2 * count) - spread) / (1 + z2 / count);
}

/** Finds what the URL names. */
export function cardNamed(page: RedPage, service: string, route: string): Card | undefined {
  const found = page.services.find((it) => it.service === service);
  if (!found) return undefined;
  if (!route) return { key: cardKey(service), service, red: found.total };
  const it = found.routes.find((one) => routeWord(one) === route);
  return it && { key: cardKey(service, it), service, route: { kind: it.kind, name: it.name }, red: it.red };
}

export interface Bar {
  fromMs: number;
  toMs: number;
  count: number;
  /** Of the highest bar, 0 to 1. */
  height: number;
  /** Percent of all, up to and with this bar. */
  below: number;
}

/** Buckets as bars, empty ones between full ones included: neighbours on the screen are neighbours in time. */
export function barsOf(histogram: readonly { up_to_ms: number; count: number }[] | undefined): Bar[] {
  if (!histogram || histogram.length === 0) return [];
  const total = histogram.reduce((sum, it) => sum + it.count, 0);
  const top = Math.max(...histogram.map((it) => it.count));
  const bars: Bar[] = [];
  let sum = 0;
  for (const it of histogram) {
    // Two buckets in each doubling, one below 1 ms.
    let from = it.up_to_ms <= 1.001 ? 0 : it.up_to_ms / Math.SQRT2;
    const before = bars[bars.length - 1];
    for (let at = before?.toMs; at !== undefined && bars.length < 96 && at < from * 0.99; ) {
      const to: number = at <= 0 ? 1 : at * Math.SQRT2;
      bars.push({ fromMs: at, toMs: to, count: 0, height: 0, below: (sum * 100) / total });
      at = to;
    }
    if (before) from = bars[bars.length - 1]!.toMs;
    sum += it.count;
    bars.push({ fromMs: from, toMs: it.up_to_ms, count: it.count, height: it.count / top, below: (sum * 100) / total });
  }
  return bars;
}
