// How a service does: its load over the last minutes, its instances, and what failed last.
import { useMemo } from 'preact/hooks';
import { get } from '@/api/client';
import { runtimeNow } from '@/api/live';
import type { RedPage, RedService, ServiceDetail, TracesPage } from '@/api/types';
import { useResource, type Resource } from '@/route/resource';
import { LineChart } from '@/telemetry/line-chart';
import { errorLook, linesOf } from '@/telemetry/red';
import { nameOf } from '@/telemetry/subject';
import { Ago, Awaited, Facts, OpStatusBadge, Section, Time, ago, coarse, duration, percent, rate } from '@/ui';
import { Instances } from './instances';

const FAILED_MAX = 6;
const EVERY_MS = 15_000;

export function Overview({ service, red, asked }: { service: ServiceDetail; red: RedService | null; asked: Resource<RedPage> }) {
  const page = asked.data.value;
  return (
    <>
      {page && <Numbers red={red} windowMs={page.window_ms} />}
      <Awaited of={asked} rows={2} />
      {red && page && red.total.points.length > 1 && <Load red={red} page={page} service={service.name} />}
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
      <p class="faint small sv-window">{it ? `served in the last ${coarse(Math.max(1000, windowMs))}` : `Nothing was served in the last ${coarse(Math.max(1000, windowMs))}.`}</p>
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

function Load({ red, page, service }: { red: RedService; page: RedPage; service: string }) {
  // Drawn anew when an answer arrives, not each second.
  const charts = useMemo(() => {
    const lines = linesOf(red.total, page.step_ms, runtimeNow());
    return {
      times: lines.timesUnixMs,
      rates: [
        { label: 'calls', token: '--accent', fill: true, values: lines.calls },
        { label: 'errors', token: '--bad', values: lines.errors },
      ],
      durations: [
        { label: 'p95', token: '--series-2', values: lines.p95 },
        { label: 'p50', token: '--series-1', values: lines.p50 },
      ],
    };
  }, [page, red]);
  const common = { timesUnixMs: charts.times, sync: `service ${service}` };
  return (
    <div class="sv-charts">
      <LineChart {...common} title="A second" format={rate} lines={charts.rates} />
      <LineChart {...common} title="Duration" format={duration} lines={charts.durations} />
    </div>
  );
}

/** The newest traces with a failure in which it took part. */
function Failures({ service }: { service: string }) {
  const query = { service, failed: true, limit: FAILED_MAX };
  const failed = useResource(`failed ${service}`, (signal) => get<TracesPage>('/traces', query, signal), { everyMs: EVERY_MS });
  const traces = failed.data.value?.traces;
  const now = runtimeNow();
  return (
    <Section title="Last failures" actions={<a href={`/traces?service=${encodeURIComponent(service)}&failed=true`}>All of them</a>}>
      <Awaited of={failed} rows={2} />
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
