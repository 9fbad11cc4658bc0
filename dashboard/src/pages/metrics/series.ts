// Series of any metric: on one grid of time, named by what tells them apart, in the unit they have. Pure.
import type { MetricLine, MetricName } from '@/api/types';
import { bytes, count, digits, duration } from '@/ui/format';

/** Lines that one chart draws at most; more cannot be told apart. */
export const LINES_MAX = 24;

export interface Grid {
  timesUnixMs: number[];
  /** By series, one per time; null where a series has no point. */
  values: (number | null)[][];
}

/** Every series on the steps from the first point to the last of all of them. */
export function align(series: readonly MetricLine[], stepMs: number, value: (point: MetricLine['points'][number]) => number): Grid {
  let first = Infinity;
  let last = -Infinity;
  for (const it of series) {
    const [begin, end] = [it.points[0], it.points[it.points.length - 1]];
    if (!begin || !end) continue;
    first = Math.min(first, begin.at_unix_ms);
    last = Math.max(last, end.at_unix_ms);
  }
  if (first > last || stepMs <= 0) return { timesUnixMs: [], values: series.map(() => []) };
  const steps = Math.floor((last - first) / stepMs) + 1;
  const timesUnixMs = Array.from({ length: steps }, (_, at) => first + at * stepMs);
  const values = series.map((it) => {
    const row: (number | null)[] = new Array<number | null>(steps).fill(null);
    for (const point of it.points) row[Math.round((point.at_unix_ms - first) / stepMs)] = value(point);
    return row;
  });
  return { timesUnixMs, values };
}

export interface Stats {
  last: number | null;
  min: number | null;
  max: number | null;
  mean: number | null;
}

export function statsOf(values: readonly (number | null)[]): Stats {
  const found = values.filter((it): it is number => it !== null);
  if (found.length === 0) return { last: null, min: null, max: null, mean: null };
  const sum = found.reduce((total, it) => total + it, 0);
  return { last: found[found.length - 1]!, min: Math.min(...found), max: Math.max(...found), mean: sum / found.length };
}

/** What tells each series from the others: labels that all share are left out; never empty. */
export function namesOf(series: readonly MetricLine[]): string[] {
  const told = series.map(labelsOf);
  // Beside its quantiles, a histogram's own series is their mean.
  if (told.some((it) => it.has('quantile'))) for (const [at, it] of told.entries()) if (!it.has('quantile')) told[at] = new Map([['quantile', ''], ...it]);
  const shared = [...(told[0] ?? [])].filter(([key, value]) => told.every((it) => it.get(key) === value)).map(([key]) => key);
  return told.map((labels, at) => {
    const own = [...labels].filter(([key]) => !shared.includes(key));
    // Of one series everything is shared; its service is still a name.
    return own.length > 0 ? own.map(labelWords).join(' · ') : (series[at]?.service ?? '');
  });
}

/** Labels whose value says what it is. */
const PLAIN = ['service', 'instance', 'http.request.method', 'http.route', 'http.response.status_code'];

function labelWords([key, value]: [string, string]): string {
  if (key === 'quantile') return value === '' ? 'mean' : `p${Number((Number(value) * 100).toPrecision(6))}`;
  return PLAIN.includes(key) ? value : `${key}=${value}`;
}

/** What names a series, the most telling first. */
function labelsOf(it: MetricLine): Map<string, string> {
  const { quantile, ...labels } = it.labels;
  return new Map([...(quantile === undefined ? [] : [['quantile', quantile] as const]), ['service', it.service], ...Object.entries(labels), ['instance', it.instance_id.slice(-8)]]);
}

/** Values of each label that series have, for choosing one. */
export function labelValues(series: readonly MetricLine[]): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const it of series) {
    for (const [key, value] of Object.entries(it.labels)) {
      if (key === 'quantile') continue;
      const values = found.get(key) ?? new Set<string>();
      values.add(value);
      found.set(key, values);
    }
  }
  return new Map([...found].sort(([a], [b]) => a.localeCompare(b)).map(([key, values]) => [key, [...values].sort()]));
}

/** The series that are drawn: those with the highest values first when there are too many. */
export function drawn(series: readonly MetricLine[], max = LINES_MAX): MetricLine[] {
  if (series.length <= max) return [...series];
  const peak = (it: MetricLine) => it.points.reduce((top, point) => Math.max(top, point.value), -Infinity);
  return [...series]
    .map((it) => [it, peak(it)] as const)
    .sort(([, a], [, b]) => b - a)
    .slice(0, max)
    .map(([it]) => it);
}

/** Writes values of a metric: a counter's points are a rate. */
export function formatOf(kind: MetricName['kind'], unit: string): (value: number | null) => string {
  const one = plain(unit);
  return (value) => (value === null ? '–' : kind === 'counter' ? `${one(value)}/s` : one(value));
}

function plain(unit: string): (value: number) => string {
  if (unit === 's') return (value) => duration(value * 1000);
  if (unit === 'ms') return duration;
  if (unit === 'us') return (value) => duration(value / 1000);
  if (unit === 'ns') return (value) => duration(value / 1e6);
  if (unit === 'By') return bytes;
  if (unit === '%') return (value) => `${digits(value)} %`;
  if (unit === '1' || unit === '' || unit.startsWith('{')) return (value) => count(round(value));
  return (value) => `${count(round(value))} ${unit}`;
}

/** Three digits are what is read; the rest is noise of an average. */
const round = (value: number) => (Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));

/** A unit for people: `1` is none, `{request}` is requests. */
export function unitWords(kind: MetricName['kind'], unit: string): string {
  const names: Record<string, string> = { s: 'seconds', ms: 'milliseconds', By: 'bytes', '1': '', '': '', '%': 'percent' };
  const word = names[unit] ?? unit.replace(/^\{(.*)\}$/, '$1s');
  if (kind !== 'counter') return word;
  return word ? `${word} per second` : 'per second';
}

// What is asked, in the URL.

export interface Asked {
  name: string;
  service: string;
  labels: Record<string, string>;
  quantiles: string[];
  stepSeconds: number;
  peak: boolean;
}

export const QUANTILES = ['0.5', '0.9', '0.95', '0.99'] as const;
export const STEPS_S = [10, 30, 60, 300, 900, 3_600] as const;

/** As the runtime answers at most: series, and points of each. */
const SERIES_MAX = 1_000;
const POINTS_MAX = 300;
/** Points of a whole answer: more are read in one go for longer than a frame, and a chart has no room for them. */
const ANSWER_POINTS_MAX = 20_000;

/** The step to ask for, so that an answer of so many series (each with its quantiles) stays small; 0 where the runtime's own does. */
export function fittingStep(series: number, quantiles: number, spanMs: number): number {
  const lines = Math.min(SERIES_MAX, Math.max(1, series)) * (1 + quantiles);
  const points = Math.floor(ANSWER_POINTS_MAX / lines);
  // Ends may cut two steps: one more point than the span has.
  return points >= POINTS_MAX ? 0 : Math.ceil(spanMs / 1000 / Math.max(1, points - 1));
}

/** Reads a question; what makes no sense is left out. */
export function readAsked(query: URLSearchParams): Asked {
  const step = Number(query.get('step'));
  const quantiles = (query.get('quantiles') ?? '').split(',').filter((it) => (QUANTILES as readonly string[]).includes(it));
  return {
    name: query.get('name') ?? '',
    service: query.get('service') ?? '',
    labels: readLabels(query.get('labels') ?? ''),
    quantiles,
    stepSeconds: (STEPS_S as readonly number[]).includes(step) ? step : 0,
    peak: query.get('show') === 'peak',
  };
}

/** `k=v` with commas between; `\,` and `\\` stand for themselves. */
export function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const part of text.match(/(?:\\.|[^,\\])+/g) ?? []) {
    const at = part.indexOf('=');
    if (at > 0) labels[part.slice(0, at).replace(/\\(.)/g, '$1')] = part.slice(at + 1).replace(/\\(.)/g, '$1');
  }
  return labels;
}

export function writeLabels(labels: Record<string, string>): string {
  const safe = (text: string) => text.replace(/[\\,]/g, '\\$&');
  return Object.entries(labels).map(([key, value]) => `${safe(key)}=${safe(value)}`).join(',');
}

/** Names that match every word, those of services before the runtime's own. */
export function namesFound(names: readonly MetricName[], words: string): MetricName[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return names.filter((it) => wanted.every((word) => it.name.toLowerCase().includes(word))).sort((a, b) => a.name.localeCompare(b.name));
}
