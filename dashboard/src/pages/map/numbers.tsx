// Rate, share of failures and 95th percentile in three columns, for lists of routes, methods and neighbours.
import type { Load } from '@/api/types';
import { duration, percent, rate } from '@/ui';
import { errorTone } from './model';

export function RouteNumbers({ load }: { load: Load }) {
  return (
    <span class="mp-route-numbers">
      <span>{rate(load.per_second)}</span>
      <span class={`mp-errors ${errorTone(load)}`}>{percent(load.errors, load.count)}</span>
      <span>{duration(load.p95_ms)}</span>
    </span>
  );
}
