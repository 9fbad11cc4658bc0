// The mark of what a page asked for itself. While the stream is down too, the page's head says so already.
import { liveState } from '@/api/live';
import { Stale } from '@/ui';

export function OwnStale({ since }: { since: number | null }) {
  return liveState.value.kind === 'stale' ? null : <Stale since={since} />;
}
