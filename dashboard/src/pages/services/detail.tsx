// One service: how it does, its instances, what it serves, whom it calls, its keys.
import { useState } from 'preact/hooks';
import { get } from '@/api/client';
import type { RedPage, ServiceDetail } from '@/api/types';
import { isAdmin } from '@/app/session';
import { ReadOnly } from '@/app/readonly';
import { useResource, type Resource } from '@/route/resource';
import { OwnStale } from '@/telemetry/own-stale';
import { Button, Empty, ErrorNote, PageFrame, Skeleton, StatusBadge, Tabs } from '@/ui';
import { Calls } from './calls';
import { AddKey, RevokeService } from './create';
import { Keys } from './keys';
import { useLiveServices } from './live';
import { Methods } from './methods';
import { methodGroups, stateOf, type State } from './model';
import { Overview } from './overview';

const EVERY_MS = 10_000;
/** The runtime counts in steps of ten seconds up to this window, in steps of five minutes beyond. */
const WINDOW_MS = 300_000;

export function Service({ params }: { params: Record<string, string> }) {
  const name = params.name ?? '';
  const path = `/services/${encodeURIComponent(name)}`;
  const detail = useResource(path, (signal) => get<ServiceDetail>(path, {}, signal), { everyMs: EVERY_MS });
  const red = useResource(`red ${name}`, (signal) => get<RedPage>('/red', { service: name, window_ms: WINDOW_MS }, signal), { everyMs: EVERY_MS });
  useLiveServices(() => detail.reload());
  const it = detail.data.value;
  const missing = detail.error.value?.status === 404;
  return (
    <PageFrame
      title={name}
      trail={[['Services', '/services']]}
      note={
        <>
          {it && <Standing service={it} />}
          <OwnStale since={detail.staleSinceUnixMs.value ?? red.staleSinceUnixMs.value} />
        </>
      }
      actions={it && <Actions service={it} onDone={detail.reload} />}
    >
      {missing && (
        <Empty icon="services" title={`There is no service “${name}”`}>
          <p>
            Names are exact. <a href="/services">All services</a>
          </p>
        </Empty>
      )}
      {!missing && !it && <ErrorNote error={detail.error.value} again={detail.reload} />}
      {!it && !detail.error.value && <Skeleton rows={8} />}
      {it && <Body service={it} red={red} onChange={detail.reload} />}
    </PageFrame>
  );
}

function Body({ service, red, onChange }: { service: ServiceDetail; red: Resource<RedPage>; onChange: () => void }) {
  const mine = red.data.value?.services.find((it) => it.service === service.name) ?? null;
  const groups = methodGroups(service.methods);
  const count = (many: number) => (many > 0 ? <span class="faint small"> {many}</span> : null);
  return (
    <Tabs
      name="tab"
      label={`Parts of ${service.name}`}
      tabs={[
        { key: 'overview', title: 'Overview', panel: () => <Overview service={service} red={mine} asked={red} /> },
        { key: 'methods', title: <>Methods{count(groups.length)}</>, panel: () => <Methods service={service} groups={groups} red={mine} /> },
        { key: 'calls', title: <>Dependencies{count(service.calls.length + service.called_by.length)}</>, panel: () => <Calls service={service} /> },
        { key: 'keys', title: <>Keys{count(service.keys.filter((it) => !it.revoked_at_unix_ms).length)}</>, panel: () => <Keys service={service} onChange={onChange} /> },
      ]}
    />
  );
}

const WORST: readonly State[] = ['unhealthy', 'returning', 'draining'];

function Standing({ service }: { service: ServiceDetail }) {
  if (service.status === 'revoked') return <StatusBadge tone="idle">revoked</StatusBadge>;
  if (service.status === 'foreign') return <StatusBadge tone="idle">foreign</StatusBadge>;
  const states = service.instances.map(stateOf);
  if (states.length === 0) return <StatusBadge tone="idle">no instance</StatusBadge>;
  const worst = WORST.find((it) => states.includes(it));
  if (!worst) return <StatusBadge tone="ok">healthy</StatusBadge>;
  const many = states.filter((it) => it === worst).length;
  const tone = worst === 'unhealthy' && many === states.length ? 'bad' : 'warn';
  return (
    <StatusBadge tone={tone}>
      {many} of {states.length} {worst}
    </StatusBadge>
  );
}

function Actions({ service, onDone }: { service: ServiceDetail; onDone: () => void }) {
  const [asked, setAsked] = useState<'key' | 'revoke' | null>(null);
  const query = `service=${encodeURIComponent(service.name)}`;
  const callers = [...new Set(service.called_by.map((it) => it.from).filter(Boolean))].sort();
  const mayChange = isAdmin() && service.status === 'active';
  return (
    <>
      <span class="sv-links row">
        <a class="button quiet" href={`/traces?${query}`}>
          Traces
        </a>
        <a class="button quiet" href={`/logs?${query}`}>
          Logs
        </a>
        <a class="button quiet" href={`/metrics?${query}`}>
          Metrics
        </a>
      </span>
      <ReadOnly what="add keys or revoke" />
      {mayChange && (
        <>
          <Button icon="key" onClick={() => setAsked('key')}>
            Add a key
          </Button>
          <Button look="danger" onClick={() => setAsked('revoke')}>
            Revoke
          </Button>
        </>
      )}
      {asked === 'key' && <AddKey service={service.name} onClose={() => setAsked(null)} onMade={onDone} />}
      {asked === 'revoke' && <RevokeService name={service.name} instances={service.instances.length} callers={callers} onClose={() => setAsked(null)} onDone={onDone} />}
    </>
  );
}
