// How a service does: its load over the last minutes, its instances, and what failed last.
import { get } from '@/api/client';
import type { RedPage, RedService, ServiceDetail, TracesPage } from '@/api/types';
import { useResource } from '@/route/resource';
import { nameOf } from '@/pages/traces/model';
import { errorLook, linesOf } from '@/telemetry/red';
import { Ago, Chart, ErrorNote, Facts, OpStatusBadge, Section, Skeleton, Time, ago, coarse, duration, percent, rate, useNow } from '@/ui';
import { Instances } from './instances';

const FAILED_MAX = 6;
const EVERY_MS = 15_000;

export function Overview({ service, red, page }: { service: ServiceDetail; red: RedService | null; page: RedPage | null }) {
  return (
    <>
      <Numbers red={red} windowMs={page?.window_ms ?? 0} />
      {red && page && red.total.points.length > 1 && <Load red={red} stepMs={page.step_ms} service={service.name} />}
      <Section title="Instances" note={service.instances.length > 0 ? `${service.instances.length}` : undefined}>
        <Instances instances={service.instances} />
      </Section>
      <Failures service={service.name} />
      <Section title="About">
        <Facts
          facts={[
            ['Id', <span class="mono">{service.id}</span>],
            ['Created', <span><Time at={service.created_at_unix_ms} /> <span class="faint">(<Ago at={service.created_at_unix_ms} />)</span></span>],
          ]}
        />
      </Section>
    </>
  );
}

function Numbers({ red, windowMs }: { red: RedService | null; windowMs: number }) {
  const it = red?.total;
  return (
    <div class="sv-numbers">
      <Number name="Calls" value={it ? rate(it.per_second) : '–'} />
      <Number name="Errors" value={it ? percent(it.errors, it.count) : '–'} look={errorLook(it)} />
      <Number name="p50" value={duration(it?.p50_ms)} />
      <Number name="p95" value={duration(it?.p95_ms)} />
      <Number name="p99" value={duration(it?.p99_ms)} />
      <p class="faint small sv-window">{it ? `served in the last ${coarse(Math.max(1000, windowMs))}` : 'Nothing was served in the last 5 minutes.'}</p>
    </div>
  );
}

function Number({ name, value, look = '' }: { name: string; value: string; look?: string }) {
  return (
    <div class="sv-number">
      <span class="faint small">{name}</span>
      <strong class={look}>{value}</strong>
    </div>
  );
}

function Load({ red, stepMs, service }: { red: RedService; stepMs: number; service: string }) {
  const lines = linesOf(red.total, stepMs, useNow());
  const times = lines.timesUnixMs;
  return (
    <div class="sv-charts">
      <figure>
        <figcaption class="small dim">Calls and errors a second</figcaption>
        <Chart
          label={`Calls and errors of ${service}`}
          timesUnixMs={times}
          sync="service"
          format={(value) => rate(value)}
          lines={[
            { label: 'calls', token: '--accent', fill: true, values: lines.calls },
            { label: 'errors', token: '--bad', values: lines.errors },
          ]}
        />
      </figure>
      <figure>
        <figcaption class="small dim">Duration, p50 and p95</figcaption>
        <Chart
          label={`Durations of ${service}`}
          timesUnixMs={times}
          sync="service"
          format={(value) => duration(value)}
          lines={[
            { label: 'p95', token: '--series-2', values: lines.p95 },
            { label: 'p50', token: '--series-1', values: lines.p50 },
          ]}
        />
      </figure>
    </div>
  );
}

/** The newest traces with a failure in which it took part. */
function Failures({ service }: { service: string }) {
  const query = { service, failed: true, limit: FAILED_MAX };
  const failed = useResource(`failed ${service}`, (signal) => get<TracesPage>('/traces', query, signal), { everyMs: EVERY_MS });
  const traces = failed.data.value?.traces;
  const now = Date.now();
  return (
    <Section title="Last failures" actions={<a href={`/traces?service=${encodeURIComponent(service)}&failed=true`}>All of them</a>}>
      {!traces && <ErrorNote error={failed.error.value} again={failed.reload} />}
      {!traces && !failed.error.value && <Skeleton rows={2} />}
      {traces?.length === 0 && <p class="faint">No trace with this service has failed as far as traces are kept.</p>}
      <ul class="sv-lines">
        {traces?.map((it) => (
          <li key={it.trace_id}>
            <a class="sv-line" href={`/traces/${it.trace_id}`}>
              <OpStatusBadge status={it.status} />
              <span class="grow cut" title={it.subject}>
                {nameOf(it.subject)}
              </span>
              <span class="dim">{it.service}</span>
              <span class="num dim">{duration(it.duration_ms)}</span>
              <span class="num faint">{ago(it.started_at_unix_ms, now)}</span>
            </a>
          </li>
        ))}
      </ul>
    </Section>
  );
}
