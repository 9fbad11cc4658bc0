// Rate, errors and durations of a service or route, step by step, as lines; and when a share of failures is worth a colour. Pure.
import type { Red } from '@/api/types';

export interface RedLines {
  timesUnixMs: number[];
  /** A second. */
  calls: number[];
  errors: number[];
  /** Percent; a gap where there were no calls. */
  errorPercent: (number | null)[];
  p50: (number | null)[];
  p95: (number | null)[];
}

/** A step of which less than this share is over says nothing yet. */
const STEP_SHARE_MIN = 0.3;

/**
 * Points as lines. A step without calls has a rate of 0 and no duration: a gap. The last step is not over yet: its rate is
 * counted over the part that was over when the runtime was asked, and it is left out while that is short.
 */
export function linesOf(red: Red, stepMs: number, askedUnixMs: number): RedLines {
  const lines: RedLines = { timesUnixMs: [], calls: [], errors: [], errorPercent: [], p50: [], p95: [] };
  for (const it of red.points) {
    const spanMs = Math.min(stepMs, askedUnixMs - it.at_unix_ms);
    if (spanMs < stepMs * STEP_SHARE_MIN && red.points.length > 1) continue;
    const some = it.count > 0;
    lines.timesUnixMs.push(it.at_unix_ms);
    lines.calls.push((it.count * 1000) / Math.max(1_000, spanMs));
    lines.errors.push((it.errors * 1000) / Math.max(1_000, spanMs));
    lines.errorPercent.push(some ? (it.errors * 100) / it.count : null);
    lines.p50.push(some ? it.p50_ms : null);
    lines.p95.push(some ? it.p95_ms : null);
  }
  return lines;
}

/** Words of a route that a search of traces finds: what stands for a parameter is none. */
export const searchWords = (name: string): string => name.replace(/\{[^}]*\}|:[a-z_]+/g, ' ').replace(/[^\p{L}\p{N}_-]+/gu, ' ').trim();

/** From this share of failures on a number is marked. Below, a red number would only teach people not to look. */
const FAILING_SHARE = 0.01;

/** Whether so many fail that somebody should look. */
export const isFailing = (it: { count: number; errors: number } | null | undefined): boolean =>
  it !== null && it !== undefined && it.count > 0 && it.errors / it.count >= FAILING_SHARE;

/** Class of a number of failures: marked, plain, or faint when there are none. */
export const errorLook = (it: { count: number; errors: number } | null | undefined): '' | 'bad' | 'dim' =>
  isFailing(it) ? 'bad' : it && it.errors > 0 ? '' : 'dim';
