// Any metric that anybody reports, over any time that is kept. What is asked is in the URL.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '@/api/client';
import { runtimeNow } from '@/api/live';
import type { MetricName, MetricShown } from '@/api/types';
import { useResource } from '@/route/resource';
import { place, setQuery } from '@/route/router';
import { RangeFilter, setRange } from '@/telemetry/range-filter';
import { ends, readRange, type Range } from '@/telemetry/range';
import { ServiceFilter } from '@/telemetry/service';
import { OwnStale } from '@/telemetry/own-stale';
import { Empty, Awaited, ErrorNote, Icon, Input, Note, Segments, Select, Skeleton, duration, plural, queryValue } from '@/ui';
import { MetricsFrame } from './frame';
import { Plot } from './plot';
import { fittingStep, labelValues, namesFound, QUANTILES, readAsked, STEPS_S, unitWords, writeLabels, type Asked } from './series';

const NAMES_SHOWN_MAX = 300;
const EVERY_MS = 15_000;
/** What is shown when the URL says no time. */
const START: Range = { quick: '1h' };
/** Older points are not kept (the setting telemetry.metrics_retention_ms has this default). */
const KEPT_MS = 14 * 86_400_000;

export function Explore() {
  const service = queryValue('service');
  const names = useResource(`names ${service}`, (signal) => get<MetricName[]>('/metrics', { service }, signal), { everyMs: 60_000 });
  const asked = readAsked(place.value.query);
  useEffect(() => {
    const { quick, since, until } = readRange(place.peek().query);
    if (quick === undefined && since === undefined && until === undefined) setRange(START);
  }, []);
  const all = names.data.value;
  const known = all?.find((it) => it.name === asked.name) ?? null;
  return (
    <MetricsFrame fill note={<OwnStale since={names.staleSinceUnixMs.value} />}>
      <div class="mt-explore">
        <Names names={all} error={names} chosen={asked.name} />
        <div class="mt-stage">
          {all?.length === 0 && <NoMetric service={service} />}
          {asked.name ? <Shown key={asked.name} asked={asked} known={known} ready={all !== null || names.error.value !== null} /> : all && all.length > 0 && <Pick names={all} />}
        </div>
      </div>
    </MetricsFrame>
  );
}

function Names({ names, error, chosen }: { names: MetricName[] | null; error: ReturnType<typeof useResource<MetricName[]>>; chosen: string }) {
  const [words, setWords] = useState('');
  const found = namesFound(names ?? [], words);
  return (
    <nav class="mt-names" aria-label="Metrics that are reported">
      <div class="mt-names-head">
        <Input icon="search" type="search" aria-label="Find a metric" placeholder="Find a metric" data-slash="" value={words} onText={setWords} />
      </div>
      <Awaited of={error} rows={6} />
      <ul>
        {found.slice(0, NAMES_SHOWN_MAX).map((it) => (
          <li key={it.name}>
            <a href={nameHref(it.name)} {...(it.name === chosen ? { 'aria-current': 'true' as const } : {})}>
              <span class="mt-name">{it.name}</span>
              <span class="faint small">
                {it.kind}
                {unitWords('gauge', it.unit) && ` · ${unitWords('gauge', it.unit)}`} · {plural(it.series, 'series', 'series')}
              </span>
            </a>
          </li>
        ))}
      </ul>
      {names && found.length === 0 && names.length > 0 && <p class="faint small mt-pad">No metric has such a name.</p>}
      {found.length > NAMES_SHOWN_MAX && <p class="faint small mt-pad">{plural(found.length - NAMES_SHOWN_MAX, 'more', 'more')}: type a part of the name.</p>}
    </nav>
  );
}

/** Another metric has other labels; service and time stay. */
function nameHref(name: string): string {
  const query = new URLSearchParams();
  for (const key of ['service', 'range', 'since', 'until']) {
    const value = place.peek().query.get(key);
    if (value) query.set(key, value);
  }
  query.set('name', name);
  return `/metrics/explore?${query}`;
}

/** `ready`: whether it is known how many series there are, or that nobody knows. */
function Shown({ asked, known, ready }: { asked: Asked; known: MetricName | null; ready: boolean }) {
  const range = readRange(place.value.query);
  const wanted = {
    name: asked.name,
    service: asked.service,
    labels: Object.keys(asked.labels).length > 0 ? JSON.stringify(asked.labels) : null,
    quantiles: asked.quantiles.join(','),
  };
  const key = JSON.stringify([wanted, range, asked.stepSeconds]);
  // Labels and a time leave fewer series than there are of the name: the first answer tells how many.
  const counted = useRef({ key: '', series: 0 });
  const ask = async (signal: AbortSignal) => {
    const now = runtimeNow();
    const { since = now - KEPT_MS, until } = ends(range, now);
    const stepOf = (series: number) => asked.stepSeconds || fittingStep(series, asked.quantiles.length, (until ?? now) - since);
    const answer = (step: number) => get<MetricShown>('/metric', { ...wanted, since, until, step_seconds: step || null }, signal);
    const guess = counted.current.key === key ? counted.current.series : (known?.series ?? 1);
    const page = await answer(stepOf(guess));
    const series = page.series.filter((it) => !('quantile' in it.labels)).length;
    counted.current = { key, series };
    const finer = series < guess && stepOf(series) !== stepOf(guess);
    return finer ? answer(stepOf(series)) : page;
  };
  const follows = range.until === undefined;
  const shown = useResource(key, ask, { off: !ready, ...(follows ? { everyMs: EVERY_MS } : {}) });
  const page = shown.data.value;
  const kind = known?.kind ?? page?.series[0]?.kind ?? 'gauge';
  const unit = known?.unit ?? page?.series[0]?.unit ?? '1';
  return (
    <>
      <div class="mt-shown-head">
        <h2 class="cut" title={asked.name}>
          {asked.name}
        </h2>
        <span class="faint small">
          {kind}
          {unitWords(kind, unit) && ` · ${unitWords(kind, unit)}`}
          {page && ` · a point each ${duration(page.step_ms)}`}
        </span>
        <OwnStale since={shown.staleSinceUnixMs.value} />
      </div>
      <Controls asked={asked} kind={kind} page={page} />
      <ErrorNote error={page ? null : shown.error.value} again={shown.reload} />
      {!page && !shown.error.value && <Skeleton rows={5} height={40} />}
      {page?.truncated && <Note tone="warn">There are more series than one answer carries. Choose a service or labels to see the ones you mean.</Note>}
      {page && page.series.every((it) => it.points.length === 0) && <NoPoint range={range} />}
      {page && page.series.some((it) => it.points.length > 0) && <Plot page={page} kind={kind} unit={unit} peak={asked.peak} />}
    </>
  );
}

function Controls({ asked, kind, page }: { asked: Asked; kind: MetricName['kind']; page: MetricShown | null }) {
  const toggle = (quantile: string) => {
    const on = asked.quantiles.includes(quantile) ? asked.quantiles.filter((it) => it !== quantile) : [...asked.quantiles, quantile];
    setQuery({ quantiles: on.sort().join(',') || null });
  };
  const steps: [string, string][] = [['', 'Step: fits'], ...STEPS_S.map((it): [string, string] => [String(it), `Step: ${duration(it * 1000)}`])];
  return (
    <div class="mt-controls" role="search" aria-label="What is shown">
      <ServiceFilter />
      <RangeFilter />
      <Select aria-label="Length of a step" value={asked.stepSeconds ? String(asked.stepSeconds) : ''} options={steps} onPick={(it) => setQuery({ step: it || null })} />
      {kind !== 'histogram' && (
        <Segments
          label="Value of a step"
          value={asked.peak ? 'peak' : 'mean'}
          options={[
            ['mean', kind === 'counter' ? 'Rate' : 'Mean'],
            ['peak', 'Peak'],
          ]}
          onPick={(it) => setQuery({ show: it === 'peak' ? 'peak' : null })}
        />
      )}
      {kind === 'histogram' && (
        <span class="row gap-xs" role="group" aria-label="Quantiles beside the mean">
          {QUANTILES.map((it) => (
            <button key={it} class="chip" type="button" aria-pressed={asked.quantiles.includes(it)} onClick={() => toggle(it)}>
              p{Number(it) * 100}
            </button>
          ))}
        </span>
      )}
      <Labels asked={asked} page={page} />
    </div>
  );
}

function Labels({ asked, page }: { asked: Asked; page: MetricShown | null }) {
  const found = labelValues(page?.series ?? []);
  const set = (labels: Record<string, string>) => setQuery({ labels: writeLabels(labels) || null });
  const without = (key: string) => Object.fromEntries(Object.entries(asked.labels).filter(([it]) => it !== key));
  const open = [...found].filter(([key, values]) => values.length > 1 && !(key in asked.labels));
  const options: [string, string][] = [['', 'Label: any'], ...open.flatMap(([key, values]) => values.map((value): [string, string] => [JSON.stringify([key, value]), `${key} = ${value}`]))];
  return (
    <>
      {options.length > 1 && (
        <Select
          aria-label="Only series with this label"
          value=""
          options={options}
          onPick={(it) => {
            if (!it) return;
            const [key, value] = JSON.parse(it) as [string, string];
            set({ ...asked.labels, [key]: value });
          }}
        />
      )}
      {Object.entries(asked.labels).map(([key, value]) => (
        <button key={key} class="chip" type="button" aria-pressed="true" title="Press to remove" onClick={() => set(without(key))}>
          {key} = {value} <Icon name="close" size={12} label="Remove" />
        </button>
      ))}
    </>
  );
}

function NoPoint({ range }: { range: Range }) {
  return (
    <Empty icon="metrics" title="No point in this time">
      <p>Nobody reported it {range.quick ? 'lately' : 'then'}, or not with these labels. Choose a longer time, or remove a label.</p>
    </Empty>
  );
}

function NoMetric({ service }: { service: string }) {
  return (
    <Empty icon="metrics" title={service ? `${service} reports no metric` : 'No metric yet'}>
      <p>
        A service that is connected reports its requests, its processor time and its memory by itself within 30 seconds. Your own: <code>telemetry.counter("orders").add(1.0, &[])</code>
      </p>
    </Empty>
  );
}

const SUGGESTED = ['http.server.request.duration', 'process.cpu_percent', 'process.rss_bytes'];

function Pick({ names }: { names: readonly MetricName[] }) {
  const suggested = SUGGESTED.filter((it) => names.some((known) => known.name === it));
  return (
    <Empty icon="metrics" title="Choose a metric">
      <p>{plural(names.length, 'metric')} are reported. {suggested.length > 0 && 'Most look at:'}</p>
      <p class="row wrap mt-suggested">
        {suggested.map((it) => (
          <a key={it} class="button" href={nameHref(it)}>
            {it}
          </a>
        ))}
      </p>
    </Empty>
  );
}
