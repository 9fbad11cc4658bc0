// Whom a service calls and who calls it: declared, seen, or both.
import type { Load, ServiceDetail } from '@/api/types';
import { errorLook } from '@/telemetry/red';
import { Empty, KindTag, Section, StatusBadge, duration, percent, rate } from '@/ui';

interface CallRow {
  peer: string;
  kind: string;
  method: string;
  declared: boolean;
  live: boolean;
  load: Load | null;
}

export function Calls({ service }: { service: ServiceDetail }) {
  const out = service.calls.map((it) => ({ ...it, peer: it.to }));
  const into = service.called_by.map((it) => ({ ...it, peer: it.from, live: true }));
  if (out.length + into.length === 0) {
    return (
      <Empty icon="link" title="It stands alone">
        <p>Nothing was declared and no call was seen, neither by it nor to it.</p>
      </Empty>
    );
  }
  return (
    <>
      <Section title="Calls" note={out.length === 0 ? 'nobody' : undefined}>
        {out.length > 0 && <Table label={`Calls of ${service.name}`} rows={out} word="To" />}
      </Section>
      <Section title="Called by" note={into.length === 0 ? 'nobody that is known' : undefined}>
        {into.length > 0 && <Table label={`Callers of ${service.name}`} rows={into} word="From" />}
      </Section>
    </>
  );
}

function Table({ label, rows, word }: { label: string; rows: readonly CallRow[]; word: string }) {
  const sorted = [...rows].sort((a, b) => a.peer.localeCompare(b.peer) || a.kind.localeCompare(b.kind) || a.method.localeCompare(b.method));
  return (
    <div class="sv-scroll">
      <table class="sv-table" aria-label={label}>
        <thead>
          <tr>
            <th scope="col">{word}</th>
            <th scope="col">Method</th>
            <th scope="col">Known from</th>
            <th scope="col" class="num">Calls/s</th>
            <th scope="col" class="num">Errors</th>
            <th scope="col" class="num">p95</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((it, at) => (
            <tr key={`${it.peer} ${it.kind} ${it.method}`}>
              <td>{sorted[at - 1]?.peer === it.peer ? <span class="hidden-text">{it.peer}</span> : <Peer name={it.peer} />}</td>
              <td>
                <span class="row gap-xs">
                  <KindTag kind={it.kind} short />
                  <span class="mono">{it.method}</span>
                </span>
              </td>
              <td>
                <Source it={it} />
              </td>
              <td class="num">{it.load ? rate(it.load.per_second).replace('/s', '') : <span class="faint">–</span>}</td>
              <td class={`num ${errorLook(it.load)}`}>{it.load ? percent(it.load.errors, it.load.count) : '–'}</td>
              <td class="num">{duration(it.load?.p95_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Peer({ name }: { name: string }) {
  if (name === '') return <span class="dim" title="Callers that are no service of this runtime">outside</span>;
  return <a href={`/services/${encodeURIComponent(name)}`}>{name}</a>;
}

function Source({ it }: { it: CallRow }) {
  if (it.declared && !it.live) {
    return (
      <StatusBadge tone="bad" title="It was declared, and no instance that is connected serves it">
        declared, nobody serves it
      </StatusBadge>
    );
  }
  if (!it.declared) {
    return (
      <StatusBadge tone="warn" title="Calls were seen that the caller did not declare at registration">
        seen, not declared
      </StatusBadge>
    );
  }
  return <span class="dim">{it.load ? 'declared and seen' : 'declared'}</span>;
}
