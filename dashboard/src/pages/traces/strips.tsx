// What one wants to know before the waterfall: what failed, nearest to the cause first, and where the time went.
import { Button, duration, Icon, opStatus, percent, seriesVar } from '@/ui';
import { visible } from '@/telemetry/lines';
import { nameOf } from '@/telemetry/subject';
import type { TraceView } from './view';

/** Services that are named in the share of time; the rest is one. */
const SHARES_MAX = 5;

/** The first failure in words, and how many more. */
export function FailureStrip({ view, onShow }: { view: TraceView; onShow: (at: number) => void }) {
  const [first] = view.failures;
  const op = first === undefined ? undefined : view.ops[first];
  if (first === undefined || op === undefined) return null;
  const more = view.failures.length - 1;
  return (
    <div class="tr-failure" role="note">
      <Icon name="error" />
      <span class="grow tr-failure-words">
        <b>{nameOf(op.subject)}</b>
        <span class="dim">
          {' '}
          in {op.service} {opStatus(op.status)[1]}
        </span>
        {op.message !== '' && <span class="bad mono"> {visible(op.message)}</span>}
      </span>
      {more > 0 && <span class="dim">and {more} more</span>}
      <Button icon="focus" onClick={() => onShow(first)} title="Key: e">
        Show
      </Button>
    </div>
  );
}

/** How the critical path divides among services. */
export function ShareStrip({ view }: { view: TraceView }) {
  const total = view.shares.reduce((sum, it) => sum + it.ms, 0);
  if (total <= 0 || view.shares.length < 2) return null;
  const named = view.shares.slice(0, SHARES_MAX);
  const rest = total - named.reduce((sum, it) => sum + it.ms, 0);
  return (
    <div class="tr-shares">
      <span class="faint small" title="Where the time of the critical path was spent: had one of these been faster, the trace would have ended earlier">
        Critical path
      </span>
      <div class="tr-share-bar" aria-hidden="true">
        {named.map((it) => (
          <i key={it.service} style={{ flexGrow: it.ms, background: seriesVar(it.service) }} />
        ))}
        {rest > 0 && <i style={{ flexGrow: rest, background: 'var(--idle)' }} />}
      </div>
      <ul class="row wrap small tr-share-words">
        {named.map((it) => (
          <li key={it.service} class="tm-service" title={duration(it.ms)}>
            <span class="tm-swatch" aria-hidden="true" style={{ background: seriesVar(it.service) }} />
            {it.service} <span class="faint">{percent(it.ms, total)}</span>
          </li>
        ))}
        {rest > 0 && <li class="faint">others {percent(rest, total)}</li>}
      </ul>
    </div>
  );
}
