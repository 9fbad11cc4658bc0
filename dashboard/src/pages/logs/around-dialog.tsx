// What the same instance logged around a line.
import { useEffect, useRef } from 'preact/hooks';
import type { LogLine } from '@/api/types';
import { useResource } from '@/route/resource';
import { clock, Dialog, ErrorNote, plural, shortId, Skeleton } from '@/ui';
import { Level, Marked } from '@/telemetry/level';
import { preview } from '@/telemetry/lines';
import { around } from './around';

/** The span that is opened in the list. */
const SPAN_MS = 60_000;

export function Around({ line, onClose }: { line: LogLine; onClose: () => void }) {
  const found = useResource(`around/${line.id}`, (signal) => around(line, signal));
  const here = useRef<HTMLLIElement>(null);
  const lines = found.data.value;
  useEffect(() => here.current?.scrollIntoView({ block: 'center' }), [lines]);
  const who = `service=${encodeURIComponent(line.service)}&instance=${encodeURIComponent(line.instance_id)}`;
  const list = `/logs?${who}&since=${line.at_unix_ms - SPAN_MS}&until=${line.at_unix_ms + SPAN_MS}`;
  return (
    <Dialog title={`Around ${clock(line.at_unix_ms, true)}`} onClose={onClose} wide>
      <p class="dim small tm-prose">
        What instance <span class="mono">{shortId(line.instance_id)}</span> of {line.service} logged before and after, earliest first.{' '}
        <a href={list} onClick={onClose}>
          Open in the list
        </a>
      </p>
      {lines === null && (found.error.value ? <ErrorNote error={found.error.value} again={() => found.reload()} /> : <Skeleton rows={8} />)}
      {lines !== null && (
        <>
          <ol class="lg-around" tabIndex={0} aria-label={plural(lines.length, 'line')}>
            {lines.map((it) => (
              <li key={it.id} class={it.id === line.id ? 'here' : ''} ref={it.id === line.id ? here : null} {...(it.id === line.id ? { 'aria-current': true } : {})}>
                <span class="faint mono">{clock(it.at_unix_ms, true)}</span>
                <Level level={it.level} />
                <span>
                  <Marked text={it.message} words={[]} />{' '}
                  <span class="faint">
                    {preview(it)
                      .map(([name, value]) => `${name}=${value}`)
                      .join(' ')}
                  </span>
                </span>
              </li>
            ))}
          </ol>
          {lines.length === 1 && <p class="faint">It logged nothing else near it.</p>}
        </>
      )}
    </Dialog>
  );
}
