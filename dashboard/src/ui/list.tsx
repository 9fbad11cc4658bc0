// A short table that is simply there, with all of its rows, and what stands in its place while there is nothing to show.
import type { ComponentChildren } from 'preact';
import type { ApiError } from '@/api/problem';
import { ErrorNote, Skeleton } from './feedback';

/** What is asked for and has not come: grey lines, or why not. Renders nothing once there is data. */
export function Awaited({ of, rows = 3 }: { of: { data: { value: unknown }; error: { value: ApiError | null }; reload(): void }; rows?: number }) {
  if (of.data.value !== null) return null;
  return of.error.value ? <ErrorNote error={of.error.value} again={of.reload} /> : <Skeleton rows={rows} />;
}

interface Props {
  /** Titles of the columns. */
  heads: readonly string[];
  /** Read aloud over a last column of buttons. */
  acts?: string;
  /** Classes of the table, and of the box that it scrolls sideways in. */
  look: string;
  box: string;
  /** Rows. */
  children: ComponentChildren;
}

export function PlainTable({ heads, acts, look, box, children }: Props) {
  return (
    <div class={box}>
      <table class={look}>
        <thead>
          <tr>
            {heads.map((it) => (
              <th key={it} scope="col">
                {it}
              </th>
            ))}
            {acts && (
              <th scope="col">
                <span class="hidden-text">{acts}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
