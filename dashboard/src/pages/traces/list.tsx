// The list of traces, newest first: filters, the scatter, a table that grows downwards by pages and upwards by itself.
import { useRef, useState } from 'preact/hooks';
import { runtimeNow } from '@/api/live';
import type { TraceLine } from '@/api/types';
import { navigate, place, setQuery } from '@/route/router';
import { Button, Dot, Duration, Empty, ErrorNote, Icon, IconButton, KindTag, opStatus, PageFrame, plural, Skeleton, Time, DataTable, type Column } from '@/ui';
import type { Feed } from '@/telemetry/feed';
import { useHold } from '@/telemetry/hold';
import { OwnStale } from '@/telemetry/own-stale';
import { ends, isOpen, type Range } from '@/telemetry/range';
import { ServiceName } from '@/telemetry/service';
import { Filters } from './filters';
import { useTraces } from './following';
import { LINES_MAX } from './merge';
import { channelOf, nameOf } from '@/telemetry/subject';
import { FILTER_NAMES, readFilters, writeFilters, type TraceFilters } from './query';
import { Scatter } from './scatter-view';

export function Traces() {
  const filters = readFilters(place.value.query);
  const [following, setFollowing] = useState(true);
  const feed = useTraces(filters, following);
  const count = feed.lines.value.length;
  const live = isOpen(filters.range);
  const word = following ? 'Pause: take in nothing new' : 'Follow what goes on';
  const actions = live && <IconButton icon={following ? 'pause' : 'play'} label={word} pressed={!following} onClick={() => setFollowing(!following)} />;
  const note = (
    <>
      {count > 0 && <span class="faint small">{`${count}${feed.more.value ? '+' : ''}`}</span>}
      {live && !following && <span class="badge idle">paused</span>}
      <OwnStale since={feed.staleSinceUnixMs.value} />
    </>
  );
  return (
    <PageFrame title="Traces" note={note} actions={actions} fill>
      <Filters filters={filters} end={null} />
      <ErrorNote error={feed.error.value} again={() => feed.again()} />
      <Body feed={feed} filters={filters} />
    </PageFrame>
  );
}

function Body({ feed, filters }: { feed: Feed<TraceLine>; filters: TraceFilters }) {
  const lines = feed.lines.value;
  if (feed.loading.value && lines.length === 0) return <div class="section"><Skeleton rows={12} height={20} /></div>;
  if (lines.length === 0) return feed.error.value ? null : <Nothing />;
  const brush = (it: { since: number; until: number; minMs?: number; maxMs?: number }) =>
    setQuery({
      range: null,
      since: String(it.since),
      until: String(it.until),
      ...(it.minMs === undefined ? {} : { min_duration: String(it.minMs) }),
      ...(it.maxMs === undefined ? {} : { max_duration: String(it.maxMs) }),
    }, { push: true });
  return (
    <>
      <Scatter lines={lines} {...axisEnds(filters.range, feed.more.value, runtimeNow())} onBrush={brush} />
      <Table key={writeFilters(filters).toString()} feed={feed} lines={lines} />
    </>
  );
}

/**
 * Ends of the scatter's time axis: those of the range, as far as the list reaches. While there is more to load, the left end is
 * the oldest that is there, so that a busy minute does not become a stroke at the right.
 */
function axisEnds(range: Range, more: boolean, nowMs: number): { fromMs?: number; toMs?: number } {
  const { since, until } = ends(range, nowMs);
  const toMs = until ?? (range.quick === undefined ? undefined : nowMs);
  return { ...(since === undefined || more ? {} : { fromMs: since }), ...(toMs === undefined || more ? {} : { toMs }) };
}

function Table({ feed, lines }: { feed: Feed<TraceLine>; lines: readonly TraceLine[] }) {
  const box = useRef<HTMLDivElement>(null);
  const hold = useHold(feed);
  const waiting = feed.held.value.length;
  const show = () => {
    box.current?.querySelector('.table')?.scrollTo({ top: 0 });
    hold.atTop(true);
    hold.left();
  };
  return (
    <div class="tr-list" ref={box} onPointerMove={hold.touched} onPointerLeave={hold.left}>
      {waiting > 0 && (
        <button class="tm-pill tr-new" type="button" onClick={show}>
          ↑ {waiting} new
        </button>
      )}
      <DataTable
        label="Traces, newest first"
        rows={lines}
        columns={COLUMNS}
        rowKey={(it) => it.trace_id}
        rowHref={(it) => `/traces/${it.trace_id}`}
        onOpen={(it) => navigate(`/traces/${it.trace_id}`)}
        rowClass={(it) => (opStatus(it.status)[0] === 'bad' ? 'tr-failed' : '')}
        onTop={hold.atTop}
        onEnd={() => void feed.older()}
        keep={`traces ${place.value.query}`}
      />
      <Foot feed={feed} />
    </div>
  );
}

function Foot({ feed }: { feed: Feed<TraceLine> }) {
  if (feed.lines.value.length >= LINES_MAX) return <p class="pager faint small">The list ends at {LINES_MAX} traces. A filter or a time range finds older ones.</p>;
  return feed.loadingOlder.value ? <p class="pager faint small" role="status">Loading older traces …</p> : null;
}

const COLUMNS: readonly Column<TraceLine>[] = [
  { key: 'status', title: 'Status', width: '92px', cell: (it) => <Status line={it} /> },
  { key: 'started', title: 'Started', width: '104px', cell: (it) => <Time at={it.started_at_unix_ms} look={sameDay(it) ? 'ms' : 'moment'} /> },
  { key: 'what', title: 'Operation', width: 'minmax(180px, 3fr)', cell: (it) => <What line={it} /> },
  { key: 'service', title: 'Service', width: 'minmax(96px, 1fr)', cell: (it) => <ServiceName name={it.service} /> },
  { key: 'duration', title: 'Duration', width: '84px', numeric: true, cell: (it) => <Duration ms={it.duration_ms} /> },
  { key: 'ops', title: 'Ops', width: '72px', numeric: true, cell: (it) => <Ops line={it} /> },
];

const sameDay = (it: TraceLine) => new Date(it.started_at_unix_ms).toDateString() === new Date().toDateString();

function Status({ line }: { line: TraceLine }) {
  const [tone, word] = opStatus(line.running && line.status === 'SUCCESS' ? 'PENDING' : line.status);
  return (
    <span class={`tr-status ${tone}`}>
      <Dot tone={tone} /> {word}
    </span>
  );
}

function What({ line }: { line: TraceLine }) {
  const channel = line.channel || channelOf(line.subject) || 'user';
  return (
    <span class="row" title={line.subject}>
      <KindTag kind={channel} short />
      <a class="tr-link cut" href={`/traces/${line.trace_id}`} tabIndex={-1}>
        {nameOf(line.subject)}
      </a>
    </span>
  );
}

function Ops({ line }: { line: TraceLine }) {
  if (line.ops === 0) return <span class="faint" title="Not counted yet">…</span>;
  const failed = line.errors ?? 0;
  return (
    <span title={failed > 0 ? `${plural(line.ops, 'operation')}, ${failed} failed` : plural(line.ops, 'operation')}>
      {failed > 0 && (
        <span class="tr-errors">
          <Icon name="error" size={12} label="failed" /> {failed}
        </span>
      )}
      {line.ops}
    </span>
  );
}

function Nothing() {
  const filtered = FILTER_NAMES.some((name) => place.value.query.has(name));
  const clear = () => setQuery(Object.fromEntries(FILTER_NAMES.map((name) => [name, null])));
  if (filtered) {
    return (
      <Empty icon="filter" title="No trace matches">
        <p>Widen the time range, search for fewer words, or look at all of them.</p>
        <div>
          <Button onClick={clear}>Clear the filters</Button>
        </div>
      </Empty>
    );
  }
  return (
    <Empty icon="traces" title="No traces yet">
      <p class="tm-prose">
        A trace begins with the first request to a service that is connected: see <a href="/services">Services</a> for how to connect one. It appears here by itself.
      </p>
    </Empty>
  );
}
