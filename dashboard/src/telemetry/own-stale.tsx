// The mark of what a page asked for itself. While the stream is down or rests too, the page's head says so already.
import { liveStaleSince } from '@/api/live';
import { Stale } from '@/ui';

export function OwnStale({ since }: { since: number | null }) {
  return liveStaleSince() === null ? <Stale since={since} /> : null;
}
