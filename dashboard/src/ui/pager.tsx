// Cursor paging: the API gives `next`, there is no page number. “Older” loads more below what is shown.
import { Button } from './button';

/** Renders nothing when there is nothing more. */
export function Pager({ next, busy, onMore, word = 'Load older' }: { next: string | null | undefined; busy?: boolean; onMore: () => void; word?: string }) {
  if (!next) return null;
  return (
    <div class="pager">
      <Button busy={busy ?? false} onClick={onMore}>
        {word}
      </Button>
    </div>
  );
}
