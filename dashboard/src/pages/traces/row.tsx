// One operation in the waterfall: at the left what it was and what it belongs to, at the right when and how long.
import { Component } from 'preact';
import type { LogLine, TraceOp } from '@/api/types';
import { duration, Icon, KindTag, opStatus, seriesVar } from '@/ui';
import { visible } from '@/telemetry/lines';
import { nameOf } from '@/telemetry/subject';
import { doer, hasFailed } from './model';
import { shownAt, type Interval, type Scale, type Zoom } from './scale';
import { guides, hasChildren } from './tree';
import { isRunning, labelSide, type TraceView } from './view';

/** Height of a row, pixels. */
export const ROW = 28;
/** Levels whose lines are drawn; of a deeper operation, the nearest ones. */
const LEVELS_MAX = 16;
/** Lines of a log that are marked on one bar. */
const MARKS_MAX = 60;

interface Props {
  id: string;
  view: TraceView;
  scale: Scale;
  zoom: Zoom;
  /** Index of the operation, and of its row. */
  at: number;
  row: number;
  here: boolean;
  open: boolean;
  folded: boolean;
  found: boolean;
  /** Get the index of the operation; they may change without the row being drawn anew. */
  onOpen: (at: number) => void;
  onFold: (at: number) => void;
}

const DRAWN = ['view', 'scale', 'zoom', 'at', 'row', 'here', 'open', 'folded', 'found'] as const satisfies readonly (keyof Props)[];

/** Drawn anew only when something of it changed: moving by one row draws two, not fifty. */
export class Row extends Component<Props> {
  override shouldComponentUpdate(next: Readonly<Props>): boolean {
    return DRAWN.some((it) => next[it] !== this.props[it]);
  }

  override render(props: Props) {
    return <Drawn {...props} />;
  }
}

function Drawn(props: Props) {
  const { view, at, row } = props;
  const op = view.ops[at];
  if (op === undefined) return null;
  const parent = hasChildren(view.shape, at);
  const look = ['tr-row', op.critical ? 'critical' : '', props.here ? 'here' : '', props.open ? 'open' : '', props.found ? 'found' : '', hasFailed(op.status) ? 'failed' : ''];
  return (
    <div
      id={props.id}
      class={look.join(' ')}
      role="row"
      aria-level={op.depth + 1}
      aria-rowindex={row + 1}
      aria-selected={props.open}
      {...(parent ? { 'aria-expanded': !props.folded } : {})}
      style={{ transform: `translateY(${row * ROW}px)`, height: `${ROW}px` }}
      onClick={() => props.onOpen(at)}
    >
      <div class="tr-name" role="gridcell">
        <Guides view={view} at={at} />
        <Fold parent={parent} folded={props.folded} below={(view.shape.end[at] as number) - at - 1} failed={view.shape.failedBelow[at] as number} onFold={() => props.onFold(at)} />
        <Words op={op} />
      </div>
      <div class="tr-bars" role="gridcell">
        <Bar view={view} scale={props.scale} zoom={props.zoom} at={at} op={op} />
      </div>
    </div>
  );
}

function Guides({ view, at }: { view: TraceView; at: number }) {
  const lines = guides(view.shape, view.ops, at);
  const hidden = Math.max(0, lines.length - LEVELS_MAX);
  return (
    <>
      {hidden > 0 && <span class="tr-deeper faint" title={`${hidden} levels further up`}>⋯</span>}
      {lines.slice(hidden).map((goesOn, level) => {
        const last = level === lines.length - hidden - 1;
        return <i key={level} class={`tr-guide ${goesOn ? 'on' : ''} ${last ? 'last' : ''}`} aria-hidden="true" />;
      })}
    </>
  );
}

function Fold({ parent, folded, below, failed, onFold }: { parent: boolean; folded: boolean; below: number; failed: number; onFold: () => void }) {
  if (!parent) return <span class="tr-fold" aria-hidden="true" />;
  const turn = (event: Event) => {
    event.stopPropagation();
    onFold();
  };
  // The keys fold from the grid itself: a button more in every row would be in the way of Tab.
  return (
    <>
      <button class="tr-fold" type="button" tabIndex={-1} aria-label={folded ? `Unfold ${below}` : `Fold ${below}`} onClick={turn}>
        <Icon name={folded ? 'right' : 'down'} size={12} />
      </button>
      {folded && <span class={`tr-below ${failed > 0 ? 'failed' : ''}`} title={failed > 0 ? `${failed} of them failed` : ''}>{below}</span>}
    </>
  );
}

function Words({ op }: { op: TraceOp }) {
  const [tone, word] = opStatus(op.status);
  const elsewhere = op.peer !== '' && op.peer !== op.service;
  return (
    <span class="tr-words" title={`${op.subject} · ${op.service}`}>
      <span class="tm-swatch" aria-hidden="true" style={{ background: seriesVar(doer(op)) }} />
      <KindTag kind={op.channel} short />
      {tone !== 'ok' && (
        <span class={`tr-sign ${tone}`}>
          <Icon name={tone === 'bad' ? 'error' : tone === 'busy' ? 'play' : 'warn'} size={14} label={word} />
        </span>
      )}
      <span class="tr-what">{nameOf(op.subject)}</span>
      {op.attempt > 1 && <span class="tr-attempt" title={`Attempt ${op.attempt} ended it`}>×{op.attempt}</span>}
      <span class="tr-who faint">
        {op.service}
        {elsewhere && ` → ${op.peer}`}
      </span>
    </span>
  );
}

interface BarProps {
  view: TraceView;
  scale: Scale;
  zoom: Zoom;
  at: number;
  op: TraceOp;
}

function Bar({ view, scale, zoom, at, op }: BarProps) {
  const span = view.spans[at] as Interval;
  const [left, right] = [shownAt(scale, zoom, span.from), shownAt(scale, zoom, span.to)];
  if (right < 0 || left > 1) return <Outside after={left > 1} ms={span.to - span.from} />;
  const [from, to] = [Math.max(0, left), Math.min(1, right)];
  const [tone] = opStatus(op.status);
  const within = (it: Interval) => {
    const [a, b] = [Math.max(from, shownAt(scale, zoom, it.from)), Math.min(to, shownAt(scale, zoom, it.to))];
    return b > a ? { left: percent((a - from) / Math.max(to - from, 1e-9)), width: percent((b - a) / Math.max(to - from, 1e-9)) } : null;
  };
  return (
    <>
      <span class={`tr-bar ${tone} ${isRunning(op) ? 'running' : ''}`} style={{ left: percent(from), width: percent(to - from), '--tr-colour': seriesVar(doer(op)) }}>
        {(view.own[at] ?? []).map((it, key) => {
          const style = within(it);
          return style && <i key={key} class="tr-own" style={style} />;
        })}
      </span>
      <Marks lines={view.logs.get(op.op_id)} scale={scale} zoom={zoom} />
      <Label op={op} span={span} from={from} to={to} />
    </>
  );
}

/** It ran before or after what is zoomed in. */
function Outside({ after, ms }: { after: boolean; ms: number }) {
  return (
    <span class={`tr-off ${after ? 'after' : 'before'}`} title={`${duration(ms)}, outside of what is shown`}>
      {after ? '→' : '←'}
    </span>
  );
}

/** Where lines were logged, in the colour and shape of their level. */
function Marks({ lines, scale, zoom }: { lines: LogLine[] | undefined; scale: Scale; zoom: Zoom }) {
  if (lines === undefined) return null;
  return (
    <>
      {lines.slice(0, MARKS_MAX).map((it) => {
        const at = shownAt(scale, zoom, it.at_unix_ms);
        return at >= 0 && at <= 1 && <i key={it.id} class={`tr-log ${it.level}`} style={{ left: percent(at) }} title={`${it.level}: ${visible(it.message)}`} />;
      })}
    </>
  );
}

function Label({ op, span, from, to }: { op: TraceOp; span: Interval; from: number; to: number }) {
  const side = labelSide(from, to);
  const style = side === 'after' ? { left: percent(to) } : side === 'before' ? { right: percent(1 - from) } : { left: percent(from), right: percent(1 - to) };
  return (
    <span class={`tr-label ${side}`} style={style}>
      <span class="tr-took">{isRunning(op) ? `${duration(span.to - span.from)} …` : duration(span.to - span.from)}</span>
      {op.message !== '' && hasFailed(op.status) && <span class="tr-why">{visible(op.message)}</span>}
    </span>
  );
}

const percent = (part: number): string => `${(part * 100).toFixed(3)}%`;
