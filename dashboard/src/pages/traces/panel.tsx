// The chosen operation: what it was, why it failed, what went in and out, what was logged in it.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '@/api/client';
import type { LogLine, TraceOp, TraceTree } from '@/api/types';
import { useResource } from '@/route/resource';
import { CopyButton, Duration, duration, ErrorNote, Facts, IconButton, JsonView, KindTag, OpStatusBadge, Section, shortId, Skeleton, Time } from '@/ui';
import { Level } from '@/telemetry/level';
import { preview, visible } from '@/telemetry/lines';
import { ServiceName } from '@/telemetry/service';
import { nameOf } from '@/telemetry/subject';
import { hasFailed } from './model';
import { Payloads } from './payload';
import type { Places } from './places';
import { isRunning, type TraceView } from './view';

/** Lines of one operation that are listed. */
const LINES_MAX = 200;
/** How far around an operation its instance's log is looked at. */
const AROUND_MS = 2_000;

interface Props {
  view: TraceView;
  at: number;
  places: Places;
}

export function OpPanel({ view, at, places }: Props) {
  const box = useRef<HTMLElement>(null);
  const op = view.ops[at];
  useEffect(() => box.current?.querySelector('.side-body')?.scrollTo(0, 0), [at]);
  if (op === undefined) return null;
  const keys = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || (event.target as HTMLElement).closest('input, dialog')) return;
    places.close();
    document.querySelector<HTMLElement>('.tr-rows')?.focus();
  };
  const step = (by: 1 | -1) => places.next(places.rows, by);
  return (
    <aside class="side tr-panel" id="tr-panel" tabIndex={-1} ref={box} aria-label={`Operation ${nameOf(op.subject)}`} onKeyDown={keys}>
      <div class="side-head">
        <h2 class="cut grow" title={op.subject}>
          {nameOf(op.subject)}
        </h2>
        <IconButton icon="up" label="Previous operation" onClick={() => step(-1)} />
        <IconButton icon="down" label="Next operation" onClick={() => step(1)} />
        <IconButton icon="close" label="Close" onClick={places.close} />
      </div>
      <div class="side-body">
        <What view={view} at={at} op={op} />
        <Sent view={view} at={at} op={op} />
        <Named title="Attributes" value={op.attrs} />
        <Named title="Meta" value={op.meta} />
        <Logged view={view} op={op} lines={view.logs.get(op.op_id) ?? []} />
      </div>
    </aside>
  );
}

function What({ view, at, op }: { view: TraceView; at: number; op: TraceOp }) {
  const span = view.spans[at] ?? { from: 0, to: 0 };
  const own = (view.own[at] ?? []).reduce((sum, it) => sum + it.to - it.from, 0);
  const facts: [string, ComponentChildren][] = [
    ['Kind', <KindTag kind={op.channel} />],
    ['Service', <ServiceName name={op.service} link />],
  ];
  if (op.peer !== '' && op.peer !== op.service) facts.push(['Called', <ServiceName name={op.peer} link />]);
  facts.push(['Started', <><Time at={op.started_at_unix_ms} look="ms" /> <span class="faint">+{duration(span.from - view.from)}</span></>]);
  facts.push(['Took', isRunning(op) ? <>{duration(span.to - span.from)} so far</> : <Duration ms={op.duration_ms} />]);
  if (op.critical) facts.push(['Critical path', own > 0 ? `${duration(own)} of its own` : 'on it']);
  if (op.attempt > 1) facts.push(['Attempts', String(op.attempt)]);
  if (op.business_key !== '') facts.push(['Key', <Key text={op.business_key} />]);
  if (op.instance_id !== '') facts.push(['Instance', <Instance id={op.instance_id} from={span.from} to={span.to} />]);
  facts.push(['Operation', <Copied text={op.op_id} label="operation id"><span class="mono">{shortId(op.op_id)}</span></Copied>]);
  facts.push(['Subject', <span class="mono">{op.subject}</span>]);
  return (
    <div class="section stack">
      <div>
        <OpStatusBadge status={op.status} />
      </div>
      {op.message !== '' && <pre class={`tr-message ${hasFailed(op.status) ? 'failed' : ''}`}>{visible(op.message)}</pre>}
      <Facts facts={facts} />
    </div>
  );
}

/** Leads to the traces with the same business key. */
function Key({ text }: { text: string }) {
  return (
    <Copied text={text} label="key">
      <a href={`/traces?text=${encodeURIComponent(text)}`} title="Traces with this key">
        {visible(text)}
      </a>
    </Copied>
  );
}

/** Leads to what the instance logged around the operation. */
function Instance({ id, from, to }: { id: string; from: number; to: number }) {
  const logs = `/logs?instance=${encodeURIComponent(id)}&since=${Math.floor(from) - AROUND_MS}&until=${Math.ceil(to) + AROUND_MS}`;
  return (
    <Copied text={id} label="instance id">
      <a class="mono" href={logs} title="What this instance logged around it">
        {shortId(id)}
      </a>
    </Copied>
  );
}

function Copied({ text, label, children }: { text: string; label: string; children: ComponentChildren }) {
  return (
    <span class="row gap-xs">
      <span class="cut">{children}</span>
      <CopyButton text={text} label={label} />
    </span>
  );
}

/** Payloads are asked for when somebody looks, once per trace and answer. */
function Sent({ view, at, op }: { view: TraceView; at: number; op: TraceOp }) {
  const { trace_id: id } = view.tree;
  const whole = useResource(`payloads/${id}/${view.running}`, (signal) => get<TraceTree>(`/traces/${id}`, { payloads: true }, signal));
  const tree = whole.data.value;
  if (tree === null) return <Section title="Payloads">{whole.error.value ? <ErrorNote error={whole.error.value} again={() => whole.reload()} /> : <Skeleton rows={2} />}</Section>;
  const mine = (tree.payloads ?? []).filter((it) => it.op_id === op.op_id);
  return <Payloads op={op} at={at} payloads={mine} />;
}

/** An object as names and values; nested ones as a tree. */
function Named({ title, value }: { title: string; value: unknown }) {
  if (typeof value !== 'object' || value === null) return null;
  const entries = Object.entries(value).filter(([, it]) => it !== '' && it !== null);
  if (entries.length === 0) return null;
  return (
    <Section title={title}>
      <Facts facts={entries.map(([name, it]) => [name, typeof it === 'object' ? <JsonView value={it} label={name} open={1} /> : <span class="mono">{visible(String(it))}</span>])} />
    </Section>
  );
}

function Logged({ view, op, lines }: { view: TraceView; op: TraceOp; lines: readonly LogLine[] }) {
  const id = view.tree.trace_id;
  return (
    <Section title="Log" note={lines.length > 0 ? String(lines.length) : undefined} actions={<a href={`/logs?trace=${id}`}>All of the trace</a>}>
      {lines.length === 0 && <p class="faint">Nothing was logged in this operation.</p>}
      <ol class="tr-lines">
        {lines.slice(0, LINES_MAX).map((it) => (
          <li key={it.id}>
            <span class="faint num" title={String(it.at_unix_ms)}>
              +{duration(it.at_unix_ms - op.started_at_unix_ms)}
            </span>
            <Level level={it.level} />
            <span class="tr-line">
              {visible(it.message)}{' '}
              <span class="faint">
                {preview(it)
                  .map(([name, value]) => `${name}=${visible(value)}`)
                  .join(' ')}
              </span>
            </span>
          </li>
        ))}
      </ol>
      {lines.length > LINES_MAX && <p class="faint">and {lines.length - LINES_MAX} more</p>}
    </Section>
  );
}
