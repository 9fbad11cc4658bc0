// The log, newest first: filters, lines that come by themselves, pages downwards.
import { useState } from 'preact/hooks';
import { get } from '@/api/client';
import { runtimeNow } from '@/api/live';
import type { LogLine, LogsPage } from '@/api/types';
import { place, setQuery } from '@/route/router';
import { Button, CodeBlock, Empty, ErrorNote, IconButton, Note, PageFrame, plural, Skeleton, toast, toastError } from '@/ui';
import type { Feed } from '@/telemetry/feed';
import { isOpen } from '@/telemetry/range';
import { OwnStale } from '@/telemetry/own-stale';
import { save } from '@/telemetry/save';
import { Around } from './around-dialog';
import { Filters } from './filters';
import { useLogs } from './following';
import { Lines } from './lines';
import { jsonl } from './merge';
import { asked, FILTER_NAMES, readFilters, writeFilters, type LogFilters } from './query';

/** Lines of one download, and of one answer. */
const DOWNLOAD_MAX = 20_000;
const PAGE_MAX = 5_000;
const WRAP_KEY = 'bridge.logs.wrap';

export function Logs() {
  const filters = readFilters(place.value.query);
  const [following, setFollowing] = useState(true);
  const [wrap, setWrap] = useState(remembered);
  const [context, setContext] = useState<LogLine | null>(null);
  const feed = useLogs(filters, following);
  const live = isOpen(filters.range);
  const turnWrap = () => {
    remember(!wrap);
    setWrap(!wrap);
  };
  const count = feed.lines.value.length;
  const note = (
    <>
      {count > 0 && <span class="faint small">{`${count}${feed.more.value ? '+' : ''}`}</span>}
      {live && !following && <span class="badge idle">paused</span>}
      <OwnStale since={feed.staleSinceUnixMs.value} />
    </>
  );
  const word = following ? 'Pause: take in nothing new' : 'Follow what is written';
  const actions = (
    <>
      {live && <IconButton icon={following ? 'pause' : 'play'} label={word} pressed={!following} onClick={() => setFollowing(!following)} />}
      <IconButton icon="wrap" label="Wrap long lines" pressed={wrap} onClick={turnWrap} />
      <Download filters={filters} />
    </>
  );
  return (
    <PageFrame title="Logs" note={note} actions={actions} fill>
      <Filters filters={filters} />
      <ErrorNote error={feed.error.value} again={() => feed.again()} />
      <Missed feed={feed} />
      <Body feed={feed} filters={filters} wrap={wrap} onContext={setContext} />
      {context && <Around line={context} onClose={() => setContext(null)} />}
    </PageFrame>
  );
}

function remembered(): boolean {
  try {
    return localStorage.getItem(WRAP_KEY) === 'true';
  } catch {
    return false;
  }
}

function remember(wrap: boolean): void {
  try {
    localStorage.setItem(WRAP_KEY, String(wrap));
  } catch {
    // Storage is refused: the choice holds until the page goes.
  }
}

function Missed({ feed }: { feed: Feed<LogLine> }) {
  const missed = feed.missed.value;
  if (missed === 0) return null;
  return (
    <Note tone="warn">
      {plural(missed, 'line')} came faster than they could be told here; they are stored.{' '}
      <Button look="quiet" icon="refresh" onClick={() => void feed.refresh()}>
        Ask for the newest
      </Button>
    </Note>
  );
}

interface BodyProps {
  feed: Feed<LogLine>;
  filters: LogFilters;
  wrap: boolean;
  onContext: (line: LogLine) => void;
}

function Body({ feed, filters, wrap, onContext }: BodyProps) {
  const count = feed.lines.value.length;
  if (feed.loading.value && count === 0) return <div class="section"><Skeleton rows={14} height={16} /></div>;
  if (count === 0) return feed.error.value ? null : <Nothing />;
  // Other filters are another list: from its top, nothing open.
  return <Lines key={writeFilters(filters).toString()} feed={feed} filters={filters} wrap={wrap} onContext={onContext} />;
}

function Nothing() {
  const filtered = FILTER_NAMES.some((name) => place.value.query.has(name));
  if (filtered) {
    return (
      <Empty icon="filter" title="No line matches">
        <p>Widen the time range, search for fewer words, or look at all of them. A line that matches appears here by itself.</p>
        <div>
          <Button onClick={() => setQuery(Object.fromEntries(FILTER_NAMES.map((name) => [name, null])))}>Clear the filters</Button>
        </div>
      </Empty>
    );
  }
  return (
    <Empty icon="logs" title="Nothing logged yet">
      <p>Services that are connected send what they log. In Rust, add the layer to what logs already:</p>
      <CodeBlock text="tracing_subscriber::registry().with(telemetry.tracing().layer()).init();" label="line of Rust" />
    </Empty>
  );
}

/** Everything that matches, not only what is shown, up to a limit. */
function Download({ filters }: { filters: LogFilters }) {
  const [busy, setBusy] = useState(false);
  const download = async () => {
    setBusy(true);
    try {
      const { parts, count, more } = await collect(filters);
      save('logs.jsonl', 'application/jsonl', parts);
      if (more) toast(`The newest ${count} lines were saved; there are more. A time range finds older ones.`, 'info');
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon="download" busy={busy} title={`Save what matches as JSON lines, at most ${DOWNLOAD_MAX}`} onClick={() => void download()}>
      JSONL
    </Button>
  );
}

/** The file in parts, one for each page: all lines written in one go would keep the page from answering. */
async function collect(filters: LogFilters): Promise<{ parts: string[]; count: number; more: boolean }> {
  const query = asked(filters, runtimeNow());
  const parts: string[] = [];
  let count = 0;
  let cursor: string | null = null;
  do {
    const page: LogsPage = await get<LogsPage>('/logs', { ...query, limit: PAGE_MAX, cursor });
    parts.unshift(jsonl(page.logs));
    count += page.logs.length;
    cursor = page.next ?? null;
  } while (cursor !== null && count < DOWNLOAD_MAX);
  return { parts, count, more: cursor !== null };
}
