// Numbers and times as people read them. Durations and rates keep three significant digits; times are local, with UTC at hand.

const NONE = '–';

/** `0.4 ms`, `12 ms`, `1.25 s`, `3 m 05 s`, `2 h 10 m`, `4 d 3 h`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
  const sign = ms < 0 ? '−' : '';
  const it = Math.abs(ms);
  if (it === 0) return '0 ms';
  if (it < 1) return `${sign}${digits(it * 1000)} µs`;
  if (it < 999.5) return `${sign}${digits(it)} ms`;
  if (it < 59_950) return `${sign}${digits(it / 1000)} s`;
  return sign + long(Math.round(it / 1000));
}

function long(seconds: number): string {
  const pair = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${String(small).padStart(2, '0')} ${smallUnit}`;
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  if (seconds < 86_400) return pair(Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'm');
  return pair(Math.floor(seconds / 86_400), 'd', Math.floor((seconds % 86_400) / 3600), 'h');
}

/** Three significant digits without trailing zeros: `0.04`, `1.25`, `125`, `1250`. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  if (value === 0) return '0';
  const size = Math.abs(value);
  const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
  const text = value.toFixed(decimals);
  return decimals === 0 ? text : text.replace(/\.?0+$/, '') || '0';
}

/** `950`, `12.3k`, `1.2M`. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size < 1000) return Number.isInteger(value) ? String(value) : digits(value);
  const steps: [number, string][] = [[1e3, 'k'], [1e6, 'M'], [1e9, 'G'], [1e12, 'T']];
  const [unit, word] = steps.findLast(([step]) => size >= step * 0.9995) ?? [1e3, 'k'];
  return `${digits(value / unit)}${word}`;
}

/** `12.3k/s`, `0.4/s`. */
export const rate = (perSecond: number | null | undefined): string =>
  perSecond === null || perSecond === undefined ? NONE : `${count(perSecond >= 10 ? Math.round(perSecond) : Number(perSecond.toFixed(2)))}/s`;

/** Share as percent: `0%`, `<0.1%`, `2.4%`, `31%`. */
export function percent(part: number, whole: number): string {
  if (!(whole > 0)) return NONE;
  const it = (part * 100) / whole;
  if (it === 0) return '0%';
  if (it < 0.1) return '<0.1%';
  return it < 9.95 ? `${it.toFixed(1)}%` : `${Math.round(it)}%`;
}

/** `512 B`, `1.2 KiB`, `3.4 MiB`. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1023.5 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : digits(size)} ${units[unit]}`;
}

const two = (value: number) => String(value).padStart(2, '0');
const three = (value: number) => String(value).padStart(3, '0');

/** Local `12:03:04`, or `12:03:04.123` with milliseconds. */
export function clock(unixMs: number, withMs = false): string {
  const at = new Date(unixMs);
  const base = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return withMs ? `${base}.${three(at.getMilliseconds())}` : base;
}

/** Local `2026-11-20`. */
export function day(unixMs: number): string {
  const at = new Date(unixMs);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Local clock when it is today, else day and clock. */
export const moment = (unixMs: number, nowUnixMs = Date.now()): string =>
  day(unixMs) === day(nowUnixMs) ? clock(unixMs) : `${day(unixMs)} ${clock(unixMs)}`;

/** `2026-11-20T12:03:04.123Z`: for titles and copying. */
export const utc = (unixMs: number): string => new Date(unixMs).toISOString();

/** `now`, `5 s ago`, `in 3 m`, coarse: one unit. */
export function ago(unixMs: number, nowUnixMs = Date.now()): string {
  const past = nowUnixMs - unixMs;
  const text = coarse(Math.abs(past));
  if (text === '') return 'now';
  return past >= 0 ? `${text} ago` : `in ${text}`;
}

/** One unit: `5 s`, `3 m`, `2 h`, `12 d`; empty under a second. */
export function coarse(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return '';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** First eight characters of a UUID: enough to tell apart on one page. UUIDv7 begin alike, so the tail is used. */
export const shortId = (id: string): string => (id.length > 12 ? id.slice(-8) : id);

/** `1 service`, `3 services`. */
export const plural = (many: number, one: string, more = `${one}s`): string => `${many} ${many === 1 ? one : more}`;

/** A value in a UCUM unit as metrics report it: s, ms, By, 1, %. */
export function inUnit(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return NONE;
  if (unit === 's') return duration(value * 1000);
  if (unit === 'ms') return duration(value);
  if (unit === 'By') return bytes(value);
  return unit === '1' || unit === '' || unit.startsWith('{') ? count(value) : `${count(value)} ${unit}`;
}
