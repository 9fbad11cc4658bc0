// What a service serves and publishes, by kind; each opens to its schemas. Where instances disagree about a contract it says so.
import { useState } from 'preact/hooks';
import type { RedPoint, RedService, ServiceDetail, ServiceMethod } from '@/api/types';
import { errorLook, searchWords } from '@/telemetry/red';
import { CopyButton, Empty, Icon, KindTag, Sparkline, StatusBadge, duration, percent, plural, rate } from '@/ui';
import { drifts, redOf, type MethodGroup } from './model';
import { SchemaView } from './schema-view';

interface Props {
  service: ServiceDetail;
  groups: readonly MethodGroup[];
  red: RedService | null;
}

export function Methods({ service, groups, red }: Props) {
  const [open, setOpen] = useState<string | null>(null);
  if (groups.length === 0) {
    return (
      <Empty icon="rpc" title="Nothing is served">
        <p>{service.instances.length === 0 ? 'No instance is connected; methods are known while one is.' : 'Its instances have registered no method and no route.'}</p>
      </Empty>
    );
  }
  const drifting = groups.filter(drifts).length;
  return (
    <div class="sv-scroll sv-pad">
      {drifting > 0 && (
        <p class="sv-drift small">
          <StatusBadge tone="warn">drift</StatusBadge> Instances serve different contracts under {plural(drifting, 'name')}. Callers are only sent to instances of their own contract.
        </p>
      )}
      <table class="sv-table sv-methods">
        <thead>
          <tr>
            <th scope="col">Method</th>
            <th scope="col" class="num">Instances</th>
            <th scope="col" class="num">Calls/s</th>
            <th scope="col" class="num">Errors</th>
            <th scope="col" class="num">p50</th>
            <th scope="col" class="num">p95</th>
            <th scope="col">Last minutes</th>
          </tr>
        </thead>
        <tbody>
          {groups.map((it) => (
            <Group key={it.key} group={it} red={red} open={open === it.key} onOpen={() => setOpen(open === it.key ? null : it.key)} service={service.name} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Group({ group, red, open, onOpen, service }: { group: MethodGroup; red: RedService | null; open: boolean; onOpen: () => void; service: string }) {
  const counted = group.published ? undefined : redOf(red?.routes ?? null, group.kind, group.name)?.red;
  const load = counted ?? group.versions.find((it) => it.served)?.served ?? null;
  const streaming = group.versions.some((it) => it.streaming);
  return (
    <>
      <tr class={open ? 'sv-open' : ''}>
        <th scope="row">
          <button class="sv-fold" type="button" aria-expanded={open} onClick={onOpen}>
            <Icon name={open ? 'down' : 'right'} size={12} />
            <KindTag kind={group.kind} short />
            <span class="cut mono">{group.name}</span>
            {group.published && <span class="sv-tag">publishes</span>}
            {streaming && <span class="sv-tag">streams</span>}
            {drifts(group) && (
              <StatusBadge tone="warn" title="Instances serve different contracts under this name">
                {group.versions.length} contracts
              </StatusBadge>
            )}
          </button>
        </th>
        <td class="num">{group.versions.reduce((sum, it) => sum + it.instances, 0)}</td>
        <td class="num">{load ? rate(load.per_second).replace('/s', '') : <span class="faint">–</span>}</td>
        <td class={`num ${errorLook(load)}`}>{load ? percent(load.errors, load.count) : '–'}</td>
        <td class="num">{duration(load?.p50_ms)}</td>
        <td class="num">{duration(load?.p95_ms)}</td>
        <td>{counted && counted.points.length > 1 ? <Spark points={counted.points} name={group.name} /> : null}</td>
      </tr>
      {open && (
        <tr class="sv-open-body">
          <td colSpan={7}>
            <Versions group={group} service={service} />
          </td>
        </tr>
      )}
    </>
  );
}

function Spark({ points, name }: { points: readonly RedPoint[]; name: string }) {
  const peak = Math.max(...points.map((it) => it.count));
  return <Sparkline values={points.map((it) => it.count)} label={`Calls of ${name} over time, at most ${peak} in a step`} width={96} />;
}

function Versions({ group, service }: { group: MethodGroup; service: string }) {
  return (
    <div class="stack gap-l sv-versions">
      {group.versions.map((it) => (
        <Version key={it.contract_hash} it={it} among={group.versions.length} />
      ))}
      <p class="row gap-l small">
        <a href={tracesOf(service, group.name, false)}>Traces of it</a>
        <a href={tracesOf(service, group.name, true)}>Failed ones</a>
        <a href={`/metrics?service=${encodeURIComponent(service)}&route=${encodeURIComponent(`${group.kind} ${group.name}`)}`}>Metrics of it</a>
      </p>
    </div>
  );
}

function Version({ it, among }: { it: ServiceMethod; among: number }) {
  return (
    <div class="stack">
      <p class="row wrap">
        {it.contract_hash ? (
          <>
            <span class="faint small">Contract</span>
            <span class="mono cut sv-hash" title={it.contract_hash}>
              {it.contract_hash}
            </span>
            <CopyButton text={it.contract_hash} label="contract hash" />
          </>
        ) : (
          <span class="faint small">Without a contract: what it takes and answers is not declared.</span>
        )}
        {among > 1 && <span class="dim small">served by {plural(it.instances, 'instance')}</span>}
      </p>
      {it.contract_hash !== '' && (
        <div class="sv-schemas">
          <SchemaView title={it.kind === 'event' ? 'Payload' : 'Input'} schema={it.input_schema} />
          {it.kind !== 'event' && <SchemaView title="Output" schema={it.output_schema} />}
        </div>
      )}
    </div>
  );
}

/** Traces whose subject has the words of a route. */
function tracesOf(service: string, name: string, failed: boolean): string {
  const query = new URLSearchParams({ service, text: searchWords(name) });
  if (failed) query.set('failed', 'true');
  return `/traces?${query}`;
}
