// From times to places on a line between 0 and 1: long silences squeezed, a part of it zoomed in. Pure.
//
// Refuses to squeeze what is busy: only spans in which no operation at all ran, and only long ones.
// Invariant: the scale grows steadily: what began later is never further left.

/** Operations as intervals, milliseconds. */
export interface Interval {
  from: number;
  to: number;
}

/** A silence that is drawn shorter than it was. */
export interface Gap extends Interval {
  /** Place of its beginning and end, 0 to 1, before zooming. */
  at: number;
  until: number;
}

export interface Scale {
  from: number;
  to: number;
  gaps: Gap[];
  /** Time and place of the points between which the scale is straight. */
  knots: { time: number; place: number }[];
}

/** Part of the line that is shown, 0 to 1. */
export interface Zoom {
  from: number;
  to: number;
}

export const WHOLE: Zoom = { from: 0, to: 1 };
/** Silences shorter than this part of the whole stay as they are. */
const GAP_PART_MIN = 0.2;
/** What a squeezed silence takes of the line. */
const GAP_PLACE = 0.08;
/** Most silences that are squeezed; the longest first. */
const GAPS_MAX = 4;
/** Nearest that one can get, as a part of the whole. */
const ZOOM_MIN = 1e-5;

/** The scale over all of `intervals`; `squeeze` draws long silences short. */
export function scaleOf(intervals: readonly Interval[], squeeze: boolean): Scale {
  const from = intervals.reduce((least, it) => Math.min(least, it.from), Infinity);
  const to = intervals.reduce((most, it) => Math.max(most, it.to), -Infinity);
  // Something has to be there to divide by: a trace within one millisecond is a millisecond long.
  if (!Number.isFinite(from)) return straight(0, 1);
  if (to - from < 1) return straight(from, from + 1);
  const silent = squeeze ? silences(intervals, (to - from) * GAP_PART_MIN) : [];
  return silent.length === 0 ? straight(from, to) : squeezed(from, to, silent);
}

function straight(from: number, to: number): Scale {
  return { from, to, gaps: [], knots: [{ time: from, place: 0 }, { time: to, place: 1 }] };
}

/** Spans longer than `leastMs` in which nothing ran, in order. */
export function silences(intervals: readonly Interval[], leastMs: number): Interval[] {
  const sorted = [...intervals].sort((a, b) => a.from - b.from);
  const found: Interval[] = [];
  let until = sorted[0]?.from ?? 0;
  for (const it of sorted) {
    if (it.from - until > leastMs) found.push({ from: until, to: it.from });
    until = Math.max(until, it.to);
  }
  const longest = found.sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, GAPS_MAX);
  return longest.sort((a, b) => a.from - b.from);
}

function squeezed(from: number, to: number, silent: Interval[]): Scale {
  const quietMs = silent.reduce((sum, it) => sum + it.to - it.from, 0);
  const busyMs = Math.max(to - from - quietMs, 1e-9);
  const busyPlace = 1 - silent.length * GAP_PLACE;
  const knots = [{ time: from, place: 0 }];
  const gaps: Gap[] = [];
  let [time, place] = [from, 0];
  for (const it of silent) {
    place += ((it.from - time) / busyMs) * busyPlace;
    knots.push({ time: it.from, place }, { time: it.to, place: place + GAP_PLACE });
    gaps.push({ ...it, at: place, until: place + GAP_PLACE });
    [time, place] = [it.to, place + GAP_PLACE];
  }
  knots.push({ time: to, place: 1 });
  return { from, to, gaps, knots };
}

/** Place of a time, 0 to 1 over the whole; outside of it beyond. */
export function placeOf(scale: Scale, time: number): number {
  return between(scale, time, 'time', 'place');
}

/** Time at a place. */
export function timeOf(scale: Scale, place: number): number {
  return between(scale, place, 'place', 'time');
}

function between(scale: Scale, value: number, from: 'time' | 'place', to: 'time' | 'place'): number {
  const knots = scale.knots;
  let at = 1;
  while (at < knots.length - 1 && value > (knots[at] as Knot)[from]) at++;
  const left = knots[at - 1] as Knot;
  const right = knots[at] as Knot;
  const width = right[from] - left[from];
  return width === 0 ? left[to] : left[to] + ((value - left[from]) / width) * (right[to] - left[to]);
}

type Knot = Scale['knots'][number];

/** Place of a time in what is shown: 0 is its left end, 1 its right end. */
export const shownAt = (scale: Scale, zoom: Zoom, time: number): number => (placeOf(scale, time) - zoom.from) / (zoom.to - zoom.from);

/** Zooms by `factor` (below 1 is nearer) so that what is at `around` (0 to 1 of what is shown) stays there. */
export function zoomed(zoom: Zoom, factor: number, around: number): Zoom {
  const width = clamp((zoom.to - zoom.from) * factor, ZOOM_MIN, 1);
  const still = zoom.from + (zoom.to - zoom.from) * around;
  return moved({ from: 0, to: width }, still - width * around);
}

/** Moves by `by` of the whole, stopping at its ends. */
export function moved(zoom: Zoom, by: number): Zoom {
  const width = zoom.to - zoom.from;
  const from = clamp(zoom.from + by, 0, 1 - width);
  return { from, to: from + width };
}

/** The part between two places, with a margin, whichever comes first. */
export function zoomTo(a: number, b: number, margin = 0): Zoom {
  const [low, high] = a < b ? [a, b] : [b, a];
  const width = clamp((high - low) * (1 + 2 * margin), ZOOM_MIN, 1);
  const from = clamp((low + high - width) / 2, 0, 1 - width);
  return { from, to: from + width };
}

const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

/** A line of the time axis. */
export interface Tick {
  /** Milliseconds since the beginning of the trace. */
  afterMs: number;
  /** 0 to 1 of what is shown. */
  at: number;
}

/** About `many` lines at round times in what is shown, none inside a squeezed silence; and how far apart they are, milliseconds. */
export function ticks(scale: Scale, zoom: Zoom, many: number): { ticks: Tick[]; stepMs: number } {
  const from = timeOf(scale, zoom.from) - scale.from;
  const to = timeOf(scale, zoom.to) - scale.from;
  const quiet = scale.gaps.reduce((sum, it) => sum + Math.max(0, Math.min(it.to - scale.from, to) - Math.max(it.from - scale.from, from)), 0);
  const step = roundStep((to - from - quiet) / Math.max(many, 1));
  const found: Tick[] = [];
  let afterMs = Math.ceil(from / step) * step;
  while (afterMs <= to && found.length < 4 * many) {
    const gap = scale.gaps.find((it) => afterMs > it.from - scale.from && afterMs < it.to - scale.from);
    if (gap === undefined) found.push({ afterMs, at: shownAt(scale, zoom, scale.from + afterMs) });
    // Over a silence at once: stepping through hours of it in milliseconds would take as long.
    afterMs = gap === undefined ? afterMs + step : Math.ceil((gap.to - scale.from) / step) * step;
  }
  return { ticks: found, stepMs: step };
}

const STEPS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 1800e3, 3600e3, 7200e3, 21600e3, 43200e3, 86400e3];

/** The first round step that is not smaller. */
export function roundStep(ms: number): number {
  if (!(ms > 0)) return 1;
  if (ms < 1) {
    const power = 10 ** Math.floor(Math.log10(ms));
    return ([1, 2, 5, 10].find((it) => it * power >= ms) ?? 10) * power;
  }
  return STEPS_MS.find((it) => it >= ms) ?? Math.ceil(ms / 86400e3) * 86400e3;
}

/** A time on an axis with as many digits as the step needs: `20 ms`, `1.25 s`, `2:00:15`, `2:00:15.250`. */
export function axisWord(afterMs: number, stepMs: number): string {
  if (afterMs === 0) return '0';
  const decimals = stepMs >= 1_000 ? 0 : Math.min(6, Math.ceil(-Math.log10(stepMs / 1_000) - 1e-9));
  if (afterMs < 1_000) return `${trimmed(afterMs, Math.max(0, decimals - 3))} ms`;
  if (afterMs < 60_000) return `${(afterMs / 1_000).toFixed(decimals)} s`;
  const minutes = Math.floor(afterMs / 60_000);
  const seconds = ((afterMs - minutes * 60_000) / 1_000).toFixed(decimals).padStart(decimals > 0 ? decimals + 3 : 2, '0');
  const two = (value: number) => String(value).padStart(2, '0');
  return minutes < 60 ? `${minutes}:${seconds}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${seconds}`;
}

const trimmed = (value: number, decimals: number): string => String(Number(value.toFixed(decimals)));
