// Times and marks of age. Local time is shown, UTC is in the title. `useNow` re-renders on a beat that all share.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { liveStaleSince, runtimeNow } from '@/api/live';
import { ago, clock, duration, moment, utc } from './format';
import { Icon } from './icon';

/** The runtime's clock, once a second while somebody looks at it. */
const beat = signal(runtimeNow());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** The runtime's clock, unix milliseconds; renders again each second. */
export function useNow(): number {
  useEffect(() => {
    // Only the first: each of a table's rows would render all of them again.
    if (watchers === 0) beat.value = runtimeNow();
    watchers += 1;
    timer ??= setInterval(() => (beat.value = runtimeNow()), 1_000);
    return () => {
      watchers -= 1;
      if (watchers === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
  return beat.value;
}

/** `look`: `moment` (day if not today), `clock`, `ms` (clock with milliseconds). */
export function Time({ at, look = 'moment' }: { at: number | null | undefined; look?: 'moment' | 'clock' | 'ms' }) {
  if (at === null || at === undefined) return <span class="faint">–</span>;
  const text = look === 'moment' ? moment(at) : clock(at, look === 'ms');
  return (
    <time dateTime={utc(at)} title={utc(at)}>
      {text}
    </time>
  );
}

/** `5 s ago`, kept true. */
export function Ago({ at }: { at: number | null | undefined }) {
  const now = useNow();
  if (at === null || at === undefined) return <span class="faint">–</span>;
  return (
    <time dateTime={utc(at)} title={`${moment(at)} · ${utc(at)}`}>
      {ago(at, Math.max(now, at))}
    </time>
  );
}

export function Duration({ ms }: { ms: number | null | undefined }) {
  return <span title={ms === null || ms === undefined ? '' : `${ms} ms`}>{duration(ms)}</span>;
}

/** “stale since 12:03:04”: put it beside every number that may be old. Renders nothing while numbers are fresh. */
export function Stale({ since }: { since: number | null | undefined }) {
  if (since === null || since === undefined) return null;
  return (
    <span class="stale" title={`No news since ${utc(since)}. The console tries again by itself.`}>
      <Icon name="warn" size={14} /> stale since {clock(since)}
    </span>
  );
}

/** The mark for numbers that come over the live stream. */
export function LiveStale() {
  return <Stale since={liveStaleSince()} />;
}
