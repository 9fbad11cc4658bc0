// One line: when, how bad, who, what; opened, everything that is known of it and where to go from there.
//
// What services wrote is text and stays text.
import { Component } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { LogLine } from '@/api/types';
import { setQuery } from '@/route/router';
import { Button, clock, CopyButton, day, Icon, IconButton, JsonView, moment, shortId, utc } from '@/ui';
import { Level, Marked } from '@/telemetry/level';
import { preview } from '@/telemetry/lines';
import { ServiceName } from '@/telemetry/service';

/** Height of a line that is neither wrapped nor open, pixels. */
export const LINE = 27;

interface Props {
  line: LogLine;
  row: number;
  top: number;
  words: string[];
  open: boolean;
  focusable: boolean;
  /** The same object all the time. */
  acts: Acts;
}

/** What happens to a line. */
export interface Acts {
  focus: (line: LogLine) => void;
  /** Opens it or closes it; the other of both without `on`. */
  turn: (line: LogLine, on?: boolean) => void;
  context: (line: LogLine) => void;
  /** It has this height now, pixels, and begins at `top`. */
  height: (line: LogLine, height: number, top: number) => void;
}

/** Drawn anew only when something of it changed: scrolling moves lines in and out, and leaves the others alone. */
export class Line extends Component<Props> {
  override shouldComponentUpdate(next: Readonly<Props>): boolean {
    return DRAWN.some((it) => next[it] !== this.props[it]);
  }

  override render(props: Props) {
    return <Drawn {...props} />;
  }
}

const DRAWN = ['line', 'row', 'top', 'words', 'open', 'focusable', 'acts'] as const satisfies readonly (keyof Props)[];

function Drawn(props: Props) {
  const { line, words, open } = props;
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  useLayoutEffect(() => {
    const it = box.current;
    if (!it) return;
    const observer = new ResizeObserver(([entry]) => {
      const height = entry?.borderBoxSize[0]?.blockSize ?? LINE;
      latest.current.acts.height(latest.current.line, height, latest.current.top);
    });
    observer.observe(it);
    return () => observer.disconnect();
  }, [line.id]);
  const click = (event: MouseEvent) => {
    if ((event.target as Element).closest('a, button, .lg-more')) return;
    // Marking text to copy it is no click.
    if (getSelection()?.toString()) return;
    props.acts.turn(line);
  };
  return (
    <div
      class={`lg-line ${line.level} ${open ? 'open' : ''}`}
      ref={box}
      role="row"
      aria-level={1}
      aria-rowindex={props.row + 1}
      aria-expanded={open}
      data-id={line.id}
      tabIndex={props.focusable ? 0 : -1}
      style={{ transform: `translateY(${props.top}px)` }}
      onFocus={() => props.acts.focus(line)}
      onClick={click}
    >
      <div class="lg-cells">
        <time role="gridcell" class="lg-time" dateTime={utc(line.at_unix_ms)} title={utc(line.at_unix_ms)}>
          {timeWord(line.at_unix_ms)}
        </time>
        <span role="gridcell">
          <Level level={line.level} />
        </span>
        <span role="gridcell" class="lg-service">
          <ServiceName name={line.service} />
        </span>
        <span role="gridcell" class="lg-words">
          <Marked text={line.message} words={words} />
          {!open && <Fields line={line} words={words} />}
        </span>
        <span role="gridcell" class="lg-go">
          {line.trace_id !== '' && (
            <a href={traceOf(line)} tabIndex={-1} title="To the trace it was written in" aria-label="To the trace it was written in">
              <Icon name="traces" size={14} />
            </a>
          )}
        </span>
      </div>
      {open && <More line={line} onContext={() => props.acts.context(line)} />}
    </div>
  );
}

const timeWord = (at: number) => (day(at) === day(Date.now()) ? clock(at, true) : moment(at));

const traceOf = (line: LogLine) => `/traces/${line.trace_id}${line.op_id === '' ? '' : `?op=${line.op_id}`}`;

function Fields({ line, words }: { line: LogLine; words: string[] }) {
  return (
    <>
      {preview(line).map(([name, value]) => (
        <span key={name} class="lg-field">
          <span class="faint">{name}=</span>
          <Marked text={value} words={words} />
        </span>
      ))}
    </>
  );
}

function More({ line, onContext }: { line: LogLine; onContext: () => void }) {
  return (
    <div class="lg-more" role="gridcell">
      <div class="row wrap">
        <Button icon="list" onClick={onContext} title="Key: c">
          Lines around it
        </Button>
        {line.trace_id !== '' && (
          <a class="button" href={traceOf(line)}>
            <Icon name="traces" /> <span>Trace</span>
          </a>
        )}
        {line.trace_id !== '' && (
          <Button look="quiet" icon="filter" onClick={() => setQuery({ trace: line.trace_id })}>
            Only this trace
          </Button>
        )}
        {line.instance_id !== '' && (
          <Button look="quiet" icon="filter" title={line.instance_id} onClick={() => setQuery({ service: line.service, instance: line.instance_id })}>
            Only instance {shortId(line.instance_id)}
          </Button>
        )}
        <CopyButton text={() => JSON.stringify(line, null, 2)} label="line as JSON" word="Copy" />
      </div>
      <dl class="facts">
        <div>
          <dt>Time</dt>
          <dd class="mono">{utc(line.at_unix_ms)}</dd>
        </div>
        <div>
          <dt>Written by</dt>
          <dd>
            <a href={`/services/${encodeURIComponent(line.service)}`}>{line.service}</a> <span class="faint">({line.source})</span>
          </dd>
        </div>
        <FieldList fields={line.fields} />
      </dl>
    </div>
  );
}

function FieldList({ fields }: { fields: unknown }) {
  if (typeof fields !== 'object' || fields === null) return null;
  return (
    <>
      {Object.entries(fields).map(([name, value]) => (
        <div key={name}>
          <dt class="mono">{name}</dt>
          <dd>{typeof value === 'object' && value !== null ? <JsonView value={value} label={name} open={1} /> : <Value value={String(value)} />}</dd>
        </div>
      ))}
    </>
  );
}

function Value({ value }: { value: string }) {
  return (
    <span class="lg-value mono">
      <Marked text={value} words={[]} />
      {value !== '' && value.length <= 200 && <IconButton icon="search" label={`Search for ${value}`} onClick={() => setQuery({ text: value })} />}
    </span>
  );
}
