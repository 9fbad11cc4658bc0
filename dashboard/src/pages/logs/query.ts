// What the logs are filtered by: from the URL's query, to the API's. Pure.
//
// The names in the URL are the API's own, so that a link can be written by hand.
// Refuses nothing: what a URL says that makes no sense is left out. Invariant: `writeFilters(readFilters(q))` says what `q` said.

import type { Query } from '@/api/client';
import type { LogLine } from '@/api/types';
import { LEVELS } from '@/telemetry/lines';
import { ends, readRange, writeRange, type Range } from '@/telemetry/range';

export interface LogFilters {
  text: string;
  service: string;
  /** UUID. */
  instance: string;
  /** It and above; empty for all. */
  level: string;
  /** UUID. */
  trace: string;
  range: Range;
}

/** Letters the API takes. */
const TEXT_MAX = 1_000;

/** Parameters of the URL that filter. */
export const FILTER_NAMES = ['text', 'service', 'instance', 'level', 'trace', 'range', 'since', 'until'] as const;

/** Reads the filters out of a query. */
export function readFilters(query: URLSearchParams): LogFilters {
  const word = (name: string) => (query.get(name) ?? '').trim();
  const level = word('level').toLowerCase();
  return {
    text: word('text').slice(0, TEXT_MAX),
    service: word('service'),
    instance: word('instance'),
    level: (LEVELS as readonly string[]).includes(level) ? level : '',
    trace: word('trace'),
    range: readRange(query),
  };
}

/** The query that says these filters. */
export function writeFilters(filters: LogFilters): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['text', 'service', 'instance', 'level', 'trace'] as const) if (filters[name] !== '') query.set(name, filters[name]);
  writeRange(query, filters.range);
  return query;
}

/** What to ask `GET /logs` for. */
export function asked(filters: LogFilters, nowMs: number): Query {
  const { range, ...words } = filters;
  return { ...words, ...ends(range, nowMs) };
}

/** The part of it that the live stream of lines understands. */
export function liveAsked(filters: LogFilters): Query {
  const { text, service, instance, level, trace } = filters;
  return { text, service, instance, level, trace };
}

/** Whether a line that came live is wanted: the stream does not know of time ranges. */
export function wanted(filters: LogFilters, line: LogLine): boolean {
  const { since, until } = filters.range;
  return (since === undefined || line.at_unix_ms >= since) && (until === undefined || line.at_unix_ms <= until);
}
