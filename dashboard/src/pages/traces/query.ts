// What the list of traces is filtered by: from the URL's query, to the API's. Pure.
//
// The names in the URL are the API's own, so that a link can be written by hand.
// Refuses nothing: what a URL says that makes no sense is left out. Invariant: `writeFilters(readFilters(q))` says what `q` said.

import type { Query } from '@/api/client';
import { ends, isOpen, readRange, writeRange, type Range } from '@/telemetry/range';
import { CHANNELS, STATUSES } from './model';

export interface TraceFilters {
  text: string;
  service: string;
  /** Empty for any. */
  channels: string[];
  /** One status; empty for any. */
  status: string;
  failed: boolean;
  rootOnly: boolean;
  /** Milliseconds. */
  minMs?: number;
  maxMs?: number;
  range: Range;
}

/** Letters the API takes. */
const TEXT_MAX = 1_000;

/** Parameters of the URL that filter. */
export const FILTER_NAMES = ['text', 'service', 'channel', 'status', 'failed', 'root_only', 'min_duration', 'max_duration', 'range', 'since', 'until'] as const;

/** Reads the filters out of a query. */
export function readFilters(query: URLSearchParams): TraceFilters {
  const channels = (query.get('channel') ?? '').split(',').filter((it) => (CHANNELS as readonly string[]).includes(it));
  const status = query.get('status') ?? '';
  const minMs = readMs(query.get('min_duration'));
  const maxMs = readMs(query.get('max_duration'));
  return {
    text: (query.get('text') ?? '').trim().slice(0, TEXT_MAX),
    service: query.get('service') ?? '',
    channels: CHANNELS.filter((it) => channels.includes(it)),
    status: (STATUSES as readonly string[]).includes(status) ? status : '',
    failed: query.get('failed') === 'true',
    rootOnly: query.get('root_only') === 'true',
    ...(minMs === undefined ? {} : { minMs }),
    ...(maxMs === undefined ? {} : { maxMs }),
    range: readRange(query),
  };
}

/** The query that says these filters. */
export function writeFilters(filters: TraceFilters): URLSearchParams {
  const query = new URLSearchParams();
  if (filters.text !== '') query.set('text', filters.text);
  if (filters.service !== '') query.set('service', filters.service);
  if (filters.channels.length > 0) query.set('channel', filters.channels.join(','));
  if (filters.status !== '') query.set('status', filters.status);
  if (filters.failed) query.set('failed', 'true');
  if (filters.rootOnly) query.set('root_only', 'true');
  if (filters.minMs !== undefined) query.set('min_duration', String(filters.minMs));
  if (filters.maxMs !== undefined) query.set('max_duration', String(filters.maxMs));
  writeRange(query, filters.range);
  return query;
}

function readMs(text: string | null): number | undefined {
  if (text === null || text.trim() === '') return undefined;
  const ms = Number(text);
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : undefined;
}

/** What to ask `GET /traces` for. */
export function asked(filters: TraceFilters, nowMs: number): Query {
  return { ...opsAsked(filters), root_only: filters.rootOnly || null, max_duration: filters.maxMs ?? null, ...ends(filters.range, nowMs) };
}

/** The part of it that the live stream of operations understands. */
export function opsAsked(filters: TraceFilters): Query {
  return {
    text: filters.text,
    service: filters.service,
    channel: filters.channels.join(','),
    status: filters.failed ? '' : filters.status,
    failed: filters.failed || null,
    min_duration: filters.minMs ?? null,
  };
}

/**
 * Whether the end of a root operation tells all that the list would: then it can be shown before the list was asked. A filter
 * looks at every operation of a trace, so with one only the runtime can tell whether a trace belongs in the list.
 */
export function rootsTellAll(filters: TraceFilters): boolean {
  const any = filters.text === '' && filters.service === '' && filters.channels.length === 0 && filters.status === '';
  return any && !filters.failed && filters.minMs === undefined && filters.maxMs === undefined && isOpen(filters.range);
}

const UNITS: Record<string, number> = { '': 1, ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 };

/** Milliseconds of `250`, `250 ms`, `1.5s`, `2 min`; undefined for what is no duration. */
export function parseMs(text: string): number | undefined {
  const found = /^\s*(\d+(?:[.,]\d+)?)\s*(ms|s|min|m|h)?\s*$/i.exec(text);
  if (found === null) return undefined;
  const unit = UNITS[(found[2] ?? '').toLowerCase()] ?? 1;
  return Math.round(Number((found[1] as string).replace(',', '.')) * unit);
}
