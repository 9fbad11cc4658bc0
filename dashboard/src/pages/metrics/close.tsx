// One service or route large: rate, errors and durations on one crosshair, how durations are spread, and the way to the traces
// of a time that was brushed.
import { useMemo, useState } from 'preact/hooks';
import type { Red } from '@/api/types';
import { LineChart } from '@/telemetry/line-chart';
import { Button, Icon, KindTag, clock, count, digits, duration, percent, rate } from '@/ui';
import { ServiceName } from '@/telemetry/service';
import { errorLook, linesOf, searchWords } from '@/telemetry/red';
import { barsOf, type Bar, type Card } from './red';

interface Brushed {
  fromUnixMs: number;
  untilUnixMs: number;
}

export function Close({ card, stepMs, askedUnixMs }: { card: Card; stepMs: number; askedUnixMs: number }) {
  const [brushed, setBrushed] = useState<Brushed | null>(null);
  const { red } = card;
  const charts = useMemo(() => chartsOf(red, stepMs, askedUnixMs), [red, stepMs, askedUnixMs]);
  const name = card.route?.name ?? card.service;
  const common = { timesUnixMs: charts.times, sync: 'red', height: 168, onRange: (fromUnixMs: number, untilUnixMs: number) => setBrushed({ fromUnixMs, untilUnixMs }) };
  return (
    <section class="mt-close" aria-label={`Metrics of ${name}`}>
      <div class="mt-close-head">
        {card.route ? <KindTag kind={card.route.kind} /> : null}
        <h2 class="cut">{name}</h2>
        {card.route && <ServiceName name={card.service} link />}
        <span class="mt-facts">
          <Fact name="calls" value={`${rate(red.per_second)} · ${count(red.count)}`} />
          <Fact name="errors" value={percent(red.errors, red.count)} look={errorLook(red)} />
          <Fact name="p50" value={duration(red.p50_ms)} />
          <Fact name="p95" value={duration(red.p95_ms)} />
          <Fact name="p99" value={duration(red.p99_ms)} />
        </span>
      </div>
      <div class="mt-charts">
        <LineChart {...common} title="A second" format={rate} lines={charts.rates} />
        <LineChart {...common} title="Failed" format={(it) => `${digits(it)}%`} lines={charts.failed} />
        <LineChart {...common} title="Duration" format={duration} lines={charts.durations} />
        <Histogram bars={barsOf(red.histogram)} p50={red.p50_ms} p95={red.p95_ms} />
      </div>
      <div class="mt-close-foot">
        <a class="button" href={tracesHref(card, null, false)}>
          Traces
        </a>
        <a class="button" href={tracesHref(card, null, true)}>
          Failed traces
        </a>
        {card.route?.kind === 'http' && (
          <a class="button" href={exploreHref(card)}>
            Longer time
          </a>
        )}
        {brushed ? (
          <>
            <a class="button primary" href={tracesHref(card, brushed, false)}>
              Traces from {clock(brushed.fromUnixMs)} to {clock(brushed.untilUnixMs)}
            </a>
            <Button look="quiet" icon="close" onClick={() => setBrushed(null)}>
              Forget this time
            </Button>
          </>
        ) : (
          <span class="faint small row gap-xs">
            <Icon name="info" size={14} /> Drag over a chart for the traces of that time
          </span>
        )}
      </div>
    </section>
  );
}

function chartsOf(red: Red, stepMs: number, askedUnixMs: number) {
  const lines = linesOf(red, stepMs, askedUnixMs);
  return {
    times: lines.timesUnixMs,
    rates: [
      { label: 'calls', token: '--accent', fill: true, values: lines.calls },
      { label: 'errors', token: '--bad', values: lines.errors },
    ],
    failed: [{ label: 'failed', token: '--bad', fill: true, values: lines.errorPercent }],
    durations: [
      { label: 'p95', token: '--series-2', values: lines.p95 },
      { label: 'p50', token: '--series-1', values: lines.p50 },
    ],
  };
}

function Fact({ name, value, look = '' }: { name: string; value: string; look?: string }) {
  return (
    <span class="small">
      <span class="faint">{name} </span>
      <strong class={look}>{value}</strong>
    </span>
  );
}

function Panel({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <figure class="mt-panel">
      <figcaption class="small dim">{title}</figcaption>
      {children}
    </figure>
  );
}

const WIDTH = 320;
const HEIGHT = 140;

/** How durations are spread: two bars for each doubling. */
function Histogram({ bars, p50, p95 }: { bars: readonly Bar[]; p50: number; p95: number }) {
  if (bars.length === 0) return null;
  const step = WIDTH / bars.length;
  const words = `Durations: half of all took at most ${duration(p50)}, 95 of 100 at most ${duration(p95)}`;
  const first = bars[0]!;
  const last = bars[bars.length - 1]!;
  return (
    <Panel title="How durations are spread">
      <svg class="mt-histogram" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={words}>
        {bars.map((it, at) => (
          <g key={at}>
            <title>{`${duration(it.fromMs)} to ${duration(it.toMs)}: ${count(it.count)}; ${it.below.toFixed(1)}% took at most that long`}</title>
            <rect class="mt-bar-room" x={at * step} y={0} width={step} height={HEIGHT} />
            <rect class={`mt-bar ${it.fromMs >= p95 ? 'late' : ''}`} x={at * step + 0.5} y={HEIGHT - Math.max(it.count > 0 ? 2 : 0, it.height * HEIGHT)} width={Math.max(1, step - 1)} height={Math.max(it.count > 0 ? 2 : 0, it.height * HEIGHT)} />
          </g>
        ))}
      </svg>
      <div class="mt-histogram-ends faint">
        <span>{duration(first.fromMs)}</span>
        <span>{bars.length > 4 ? duration(bars[Math.floor(bars.length / 2)]!.fromMs) : ''}</span>
        <span>{duration(last.toMs)}</span>
      </div>
    </Panel>
  );
}

function tracesHref(card: Card, range: Brushed | null, failed: boolean): string {
  const query = new URLSearchParams({ service: card.service });
  if (card.route) query.set('text', searchWords(card.route.name));
  if (failed) query.set('failed', 'true');
  if (range) {
    query.set('since', String(range.fromUnixMs));
    query.set('until', String(range.untilUnixMs));
  }
  return `/traces?${query}`;
}

function exploreHref(card: Card): string {
  const [method, template] = (card.route?.name ?? '').split(' ');
  const labels = `http.request.method=${method ?? ''},http.route=${(template ?? '').replace(/[\\,]/g, '\\$&')}`;
  const query = new URLSearchParams({ name: 'http.server.request.duration', service: card.service, labels, quantiles: '0.5,0.95,0.99', range: '6h' });
  return `/metrics/explore?${query}`;
}
