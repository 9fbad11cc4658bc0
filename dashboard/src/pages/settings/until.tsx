// A moment to come: how long it is until then.
import { coarse, moment, utc } from '@/ui';

export function Until({ at, now }: { at: number; now: number }) {
  return (
    <time dateTime={utc(at)} title={`${moment(at)} · ${utc(at)}`}>
      in {coarse(Math.max(1_000, at - now))}
    </time>
  );
}
