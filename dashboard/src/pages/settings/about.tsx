// Which runtime this is, how full it is, and whether telemetry keeps up.
import { get } from '@/api/client';
import type { About as AboutShown } from '@/api/types';
import { useResource } from '@/route/resource';
import { OwnStale } from '@/telemetry/own-stale';
import { Ago, Awaited, Facts, Section, StatusBadge, Time, bytes, count, type Tone } from '@/ui';
import { SettingsFrame } from './frame';

const EVERY_MS = 5_000;
const KINDS = ['ops', 'logs', 'metrics', 'payloads'];
const WORDS: Record<string, string> = { ops: 'Traces', logs: 'Logs', metrics: 'Metrics', payloads: 'Payloads', ledger: 'Ledger: services, keys, settings, accounts', telemetry: 'Telemetry' };
const LEVELS: readonly [Tone, string][] = [
  ['ok', 'keeps up'],
  ['warn', 'queue over half full'],
  ['bad', 'queue nearly full'],
];

export function About() {
  const found = useResource('about', (signal) => get<AboutShown>('/about', {}, signal), { everyMs: EVERY_MS });
  const it = found.data.value;
  return (
    <SettingsFrame note={<OwnStale since={found.staleSinceUnixMs.value} />}>
      <Awaited of={found} rows={5} />
      {it && (
        <>
          <Section title="Runtime">
            <Facts
              facts={[
                ['Version', it.version],
                ['Database', it.database === 'postgresql' ? 'PostgreSQL' : 'SQLite'],
                ['Started', <span><Time at={it.started_at_unix_ms} /> <span class="faint">(<Ago at={it.started_at_unix_ms} />)</span></span>],
                ...(it.services === undefined ? [] : [['Services', <a href="/services">{it.services}</a>] as const]),
                ...(it.instances === undefined ? [] : [['Instances', String(it.instances)] as const]),
                ['API', <a href="/api/openapi.json" target="_blank" rel="noopener">OpenAPI document</a>],
              ]}
            />
          </Section>
          <Sizes sizes={it.sizes} />
          <Telemetry telemetry={it.telemetry} />
        </>
      )}
    </SettingsFrame>
  );
}

function Sizes({ sizes }: { sizes: Record<string, number> }) {
  const stores = Object.entries(sizes).filter(([name]) => !KINDS.includes(name));
  const kinds = KINDS.filter((name) => name in sizes);
  const top = Math.max(1, ...kinds.map((name) => sizes[name] ?? 0));
  return (
    <Section title="Space" note="how long and how much is kept are settings of the section telemetry">
      <Facts facts={stores.map(([name, size]) => [WORDS[name] ?? name, bytes(size)])} />
      {kinds.length > 0 && (
        <div class="st-sizes">
          {kinds.map((name) => (
            <div key={name} class="st-size">
              <span class="dim">{WORDS[name]}</span>
              <span class="st-size-track" aria-hidden="true">
                <span style={{ width: `${((sizes[name] ?? 0) / top) * 100}%` }} />
              </span>
              <span class="num">{bytes(sizes[name])}</span>
            </div>
          ))}
        </div>
      )}
    </Section>
  );
}

function Telemetry({ telemetry }: { telemetry: AboutShown['telemetry'] }) {
  const number = (name: string) => Number(telemetry[name] ?? 0);
  const [tone, word] = LEVELS[number('level')] ?? ['idle', 'not known'];
  return (
    <Section title="Telemetry" note="counted since the start">
      <Facts
        facts={[
          ['Intake', <StatusBadge tone={tone}>{word}</StatusBadge>],
          ['Waiting to be stored', bytes(number('queue_bytes'))],
          ['Stored', `${count(number('frames'))} frames of operations`],
          ['Running now', count(number('pending'))],
          ['Dropped', <Count value={number('dropped')} why="unsound, or more than a limit allows" />],
          ['Turned away', <Count value={number('turned_away')} why="batches that found the queue full; services send them again" />],
          ['Late ends', <Count value={number('late_ends')} why="of operations that had been given up" />],
        ]}
      />
    </Section>
  );
}

function Count({ value, why }: { value: number; why: string }) {
  return (
    <span>
      {count(value)} <span class="faint small">{why}</span>
    </span>
  );
}
