// All services: how they are, how much they do, and a way to make one.
import { useState } from 'preact/hooks';
import { get } from '@/api/client';
import type { ServiceSummary } from '@/api/types';
import { isAdmin } from '@/app/session';
import { ReadOnly } from '@/app/readonly';
import { useResource } from '@/route/resource';
import { errorLook } from '@/telemetry/red';
import { navigate, setQuery } from '@/route/router';
import { OwnStale } from '@/telemetry/own-stale';
import { Ago, Button, CodeBlock, DataTable, Dot, Empty, ErrorNote, FilterBar, PageFrame, Skeleton, TextFilter, duration, percent, plural, queryValue, rate } from '@/ui';
import type { Column } from '@/ui';
import { CreateService } from './create';
import { useLiveServices } from './live';
import { rowsOf, sorted, standing, type Row, type SortKey, type State } from './model';

const EVERY_MS = 15_000;

const detail = (name: string) => `/services/${encodeURIComponent(name)}`;

const COLUMNS: readonly Column<Row>[] = [
  { key: 'name', title: 'Service', width: 'minmax(136px, 2fr)', sortable: true, cell: (it) => <NameCell row={it} /> },
  { key: 'instances', title: 'Instances', width: 'minmax(88px, 1fr)', sortable: true, cell: (it) => <InstancesCell row={it} /> },
  { key: 'routes', title: 'Methods', width: '64px', numeric: true, sortable: true, cell: (it) => it.methods || <span class="faint">–</span> },
  { key: 'rate', title: 'Calls/s', width: '64px', numeric: true, sortable: true, cell: (it) => <LoadCell row={it} show={(load) => rate(load.per_second).replace('/s', '')} /> },
  { key: 'errors', title: 'Errors', width: '56px', numeric: true, sortable: true, cell: (it) => <LoadCell row={it} show={(load) => <span class={errorLook(load)}>{percent(load.errors, load.count)}</span>} /> },
  { key: 'p95', title: 'p95', width: '72px', numeric: true, sortable: true, cell: (it) => <LoadCell row={it} show={(load) => duration(load.p95_ms)} /> },
  { key: 'keys', title: 'Keys', width: '48px', numeric: true, sortable: true, cell: (it) => it.summary.keys },
  { key: 'created', title: 'Created', width: '80px', numeric: true, sortable: true, cell: (it) => (it.summary.created_at_unix_ms ? <Ago at={it.summary.created_at_unix_ms} /> : <span class="faint">now</span>) },
];

function NameCell({ row }: { row: Row }) {
  const { tone, word } = standing(row);
  return (
    <span class="row">
      <Dot tone={tone} label={word} />
      <a class="cut sv-name" href={detail(row.summary.name)}>
        {row.summary.name}
      </a>
      {row.summary.status !== 'active' && <span class="faint small">{row.summary.status}</span>}
    </span>
  );
}

const STATES: readonly State[] = ['healthy', 'unhealthy', 'draining', 'returning'];

function InstancesCell({ row }: { row: Row }) {
  if (row.instances === 0) return <span class="faint">none</span>;
  const told = STATES.filter((it) => it !== 'healthy' && row.states[it] > 0);
  return (
    <span>
      {row.instances}
      {told.map((it) => (
        <span key={it} class={`small ${it === 'unhealthy' ? 'bad' : 'sv-warn'}`}>
          {' '}
          · {row.states[it]} {it}
        </span>
      ))}
    </span>
  );
}

function LoadCell({ row, show }: { row: Row; show: (load: NonNullable<Row['load']>) => preact.ComponentChildren }) {
  return row.load ? <>{show(row.load)}</> : <span class="faint">–</span>;
}

export function Services() {
  const stored = useResource('services', (signal) => get<ServiceSummary[]>('/services', {}, signal), { everyMs: EVERY_MS });
  const live = useLiveServices(() => stored.reload());
  const [making, setMaking] = useState(false);
  const words = queryValue('q').toLowerCase().split(/\s+/).filter(Boolean);
  const key = queryValue('sort', 'name') as SortKey;
  const descending = queryValue('order') === 'desc';
  const all = rowsOf(stored.data.value ?? [], live.services.value, live.loads.value);
  const found = all.filter((it) => words.every((word) => it.summary.name.includes(word)));
  const rows = sorted(found, key, descending);
  const loading = stored.data.value === null && !stored.error.value;
  const none = !loading && all.length === 0 && !stored.error.value;

  return (
    <PageFrame
      title="Services"
      note={
        <span class="row">
          {!loading && <span class="faint small">{found.length === all.length ? all.length : `${found.length} of ${all.length}`}</span>}
          <OwnStale since={stored.staleSinceUnixMs.value} />
        </span>
      }
      actions={
        <>
          <ReadOnly what="create services" />
          {isAdmin() && (
            <Button look="primary" icon="plus" onClick={() => setMaking(true)}>
              New service
            </Button>
          )}
        </>
      }
      fill
    >
      {all.length > 0 && (
        <div class="tm-filters">
          <FilterBar names={['q']} end={<span class="faint small">Numbers of the last {live.windowMs.value >= 60_000 ? 'minute' : duration(live.windowMs.value)}</span>}>
            <TextFilter name="q" label="Find a service" />
          </FilterBar>
        </div>
      )}
      {stored.data.value === null && <ErrorNote error={stored.error.value} again={stored.reload} />}
      {loading && <Skeleton rows={6} />}
      {none && <NoService onMake={() => setMaking(true)} />}
      {all.length > 0 && rows.length === 0 && (
        <Empty icon="search" title="No service has such a name">
          <p>{plural(all.length, 'service')} have other names.</p>
        </Empty>
      )}
      {rows.length > 0 && (
        <DataTable
          label="Services"
          rows={rows}
          columns={COLUMNS}
          rowKey={(it) => it.summary.name}
          rowHref={(it) => detail(it.summary.name)}
          onOpen={(it) => navigate(detail(it.summary.name))}
          rowClass={(it) => (it.summary.status === 'revoked' ? 'sv-revoked' : '')}
          keep="services"
          sort={{ key, descending }}
          onSort={(it) => setQuery({ sort: it.key === 'name' ? null : it.key, order: it.descending ? 'desc' : null })}
        />
      )}
      {making && <CreateService onClose={() => setMaking(false)} onMade={stored.reload} />}
    </PageFrame>
  );
}

function NoService({ onMake }: { onMake: () => void }) {
  return (
    <Empty icon="services" title="No service yet">
      <p>A service is a name with a key. Make one here and start a process with the key: it appears within a second.</p>
      {isAdmin() && (
        <p>
          <Button look="primary" icon="plus" onClick={onMake}>
            New service
          </Button>
        </p>
      )}
      <p>Or on the command line:</p>
      <CodeBlock label="command" text="bridge service create orders" />
    </Empty>
  );
}
