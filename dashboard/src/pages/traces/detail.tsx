// One trace: what it was, what failed first, where its time went, the waterfall, and the chosen operation beside it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { get } from '@/api/client';
import { runtimeNow } from '@/api/live';
import type { TraceTree } from '@/api/types';
import { useResource, type Resource } from '@/route/resource';
import { navigate } from '@/route/router';
import {
  Button, CopyButton, duration, Empty, ErrorNote, IconButton, Input, Note, opStatus, OpStatusBadge, PageFrame,
  plural, shortId, Skeleton, StatusBadge, Time, toastError,
} from '@/ui';
import { OwnStale } from '@/telemetry/own-stale';
import { save } from '@/telemetry/save';
import { KeysHelp } from './keys-help';
import { nameOf } from '@/telemetry/subject';
import { traceIdIn } from './model';
import { OpPanel } from './panel';
import { FailureStrip, ShareStrip } from './strips';
import { usePlaces } from './places';
import { refreshMs, viewOf, type TraceView } from './view';
import { Waterfall } from './waterfall';

const BEAT_MS = 1_000;

export function Trace({ params }: { params: Record<string, string> }) {
  const id = params.id ?? '';
  const [everyMs, setEveryMs] = useState<number | undefined>();
  const load = async (signal: AbortSignal) => {
    const tree = await get<TraceTree>(`/traces/${encodeURIComponent(id)}`, { logs: true }, signal);
    setEveryMs(refreshMs(tree, runtimeNow()));
    return tree;
  };
  const resource = useResource(`trace/${id}`, load, everyMs === undefined ? {} : { everyMs });
  const tree = resource.data.value;
  if (tree === null) return <Without id={id} resource={resource} />;
  return <Shown tree={tree} resource={resource} />;
}

/** Grows once a second while something runs: what has ended is not worked out again. */
function useBeat(running: boolean): number {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => setBeat((it) => it + 1), BEAT_MS);
    return () => clearInterval(timer);
  }, [running]);
  return beat;
}

/** Nothing to show: it is on its way, unknown, or was refused. */
function Without({ id, resource }: { id: string; resource: Resource<TraceTree> }) {
  const error = resource.error.value;
  return (
    <PageFrame title="Trace" trail={TRAIL}>
      {error === null && <div class="section"><Skeleton rows={10} height={20} /></div>}
      {error?.status === 404 ? <Unknown id={id} again={() => resource.reload()} /> : <ErrorNote error={error} again={() => resource.reload()} />}
    </PageFrame>
  );
}

const TRAIL = [['Traces', '/traces']] as const;

function Unknown({ id, again }: { id: string; again: () => void }) {
  const [text, setText] = useState('');
  const other = traceIdIn(text);
  const go = (event: Event) => {
    event.preventDefault();
    if (other !== undefined) navigate(`/traces/${other}`);
  };
  return (
    <Empty icon="traces" title="This trace is not known">
      <p class="tm-prose">
        Nothing is stored under <span class="mono">{id}</span>. It may be older than what is kept (<span class="mono">telemetry.ops_retention_ms</span> in{' '}
        <a href="/settings">Settings</a>), not recorded at all, or on its way: services report a moment after the fact.
      </p>
      <form class="row" onSubmit={go}>
        <Input aria-label="Trace id" placeholder="Another trace id" value={text} onText={setText} />
        <Button type="submit" disabled={other === undefined}>
          Open
        </Button>
      </form>
      <div class="row">
        <Button icon="refresh" onClick={again}>
          Look again
        </Button>
        <a class="button" href="/traces">
          All traces
        </a>
      </div>
    </Empty>
  );
}

function Shown({ tree, resource }: { tree: TraceTree; resource: Resource<TraceTree> }) {
  const running = tree.ops.some((it) => it.duration_ms === null || it.duration_ms === undefined);
  const beat = useBeat(running);
  const view = useMemo(() => viewOf(tree, runtimeNow()), [tree, beat]);
  const places = usePlaces(view);
  const [help, setHelp] = useState(false);
  const root = tree.ops[0];
  return (
    <PageFrame
      title={root ? nameOf(root.subject) : 'Trace'}
      trail={TRAIL}
      note={<Head view={view} resource={resource} />}
      actions={<Actions view={view} onHelp={() => setHelp(true)} />}
      fill
    >
      <ErrorNote error={resource.error.value} again={() => resource.reload()} />
      {tree.truncated && <Note tone="warn">This trace has more operations than one answer carries: the first {tree.ops.length} are shown.</Note>}
      {tree.logs_truncated && (
        <Note tone="warn">
          <span class="tm-prose">
            More was logged in this trace than is shown here. <a href={`/logs?trace=${tree.trace_id}`}>All of its log</a>
          </span>
        </Note>
      )}
      <FailureStrip view={view} onShow={places.show} />
      <ShareStrip view={view} />
      <div class="tr-split">
        <Waterfall view={view} places={places} onHelp={() => setHelp(true)} />
        {places.openAt !== undefined && <OpPanel view={view} at={places.openAt} places={places} />}
      </div>
      {help && <KeysHelp onClose={() => setHelp(false)} />}
    </PageFrame>
  );
}

function Head({ view, resource }: { view: TraceView; resource: Resource<TraceTree> }) {
  const root = view.ops[0];
  const status = view.running ? 'PENDING' : (root?.status ?? '');
  const failed = view.failed.length;
  const [tone] = opStatus(status);
  return (
    <span class="tr-head">
      <OpStatusBadge status={status} />
      {failed > 0 && tone !== 'bad' && <StatusBadge tone="warn">{failed} failed inside</StatusBadge>}
      <b>{duration(view.to - view.from)}</b>
      <span class="dim">{plural(view.ops.length, 'operation')}</span>
      <span class="dim">{plural(view.services.length, 'service')}</span>
      <span class="dim">
        <Time at={view.from} look="moment" />
      </span>
      <span class="tr-id">
        <span class="mono faint" title={view.tree.trace_id}>
          {shortId(view.tree.trace_id)}
        </span>
        <CopyButton text={view.tree.trace_id} label="trace id" />
      </span>
      <OwnStale since={resource.staleSinceUnixMs.value} />
    </span>
  );
}

function Actions({ view, onHelp }: { view: TraceView; onHelp: () => void }) {
  const [busy, setBusy] = useState(false);
  const id = view.tree.trace_id;
  const download = async () => {
    setBusy(true);
    try {
      const whole = await get<TraceTree>(`/traces/${id}`, { logs: true, payloads: true });
      save(`trace-${id}.json`, 'application/json', [JSON.stringify(whole, null, 2)]);
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <a class="button" href={`/logs?trace=${id}`}>
        Logs
      </a>
      <Button icon="download" busy={busy} onClick={() => void download()}>
        JSON
      </Button>
      <IconButton icon="info" label="Keys of this page (?)" onClick={onHelp} />
    </>
  );
}
