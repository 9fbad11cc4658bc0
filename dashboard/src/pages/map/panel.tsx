// What is chosen, in full: a service (instances, routes, neighbours, failures), a group, or a call and its methods.
import { useComputed } from '@preact/signals';
import { get } from '@/api/client';
import type { Certificate, Load, MapInstance, RedPage, ServiceDetail, TracesPage } from '@/api/types';
import { useResource } from '@/route/resource';
import { Ago, Button, Dot, Duration, duration, ErrorNote, HealthBadge, Icon, KindTag, percent, plural, rate, Section, shortId, SidePanel, Skeleton, Sparkline, Stale, StatusBadge, useNow, coarse } from '@/ui';
import { certificateAge } from '@/telemetry/certificate';
import { searchWords } from '@/telemetry/red';
import { focusName, focusOn, select, toggleGroup } from './choice';
import { nameOf, titleOf } from './graph';
import { errorTone, healthOf, stateOf, sumLoads, type Graph, type MapLink, type MapNode, type Member } from './model';
import { loads, WINDOW_MS } from './store';
import { LinkMethods } from './link-panel';
import { RouteNumbers } from './numbers';

const REFRESH_MS = 5_000;
const NEIGHBOURS_MAX = 40;
const ROUTES_MAX = 60;

export function Panel({ graph, id, onClose: close }: { graph: Graph; id: string; onClose: () => void }) {
  const link = graph.links.find((it) => it.id === id);
  if (link) return <LinkPanel key={id} link={link} onClose={close} />;
  const node = findNode(graph, id);
  if (!node) return null;
  if (node.role === 'group') return <GroupPanel node={node} onClose={close} />;
  return <ServicePanel key={id} node={node} graph={graph} onClose={close} />;
}

function findNode(graph: Graph, id: string): Pick<MapNode, 'id' | 'role' | 'title' | 'members' | 'open'> | null {
  const node = graph.nodes.find((it) => it.id === id);
  if (node) return node;
  const member = graph.nodes.flatMap((it) => it.members).find((it) => `s:${it.name}` === id);
  return member ? { id, role: member.service ? 'service' : 'ghost', title: member.name, members: [member], open: false } : null;
}

type Shown = NonNullable<ReturnType<typeof findNode>>;

function ServicePanel({ node, graph, onClose }: { node: Shown; graph: Graph; onClose: () => void }) {
  const name = nameOf(node.id) ?? '';
  const known = node.role === 'service';
  const service = node.members[0]?.service;
  const [tone, word] = stateOf(node.role, node.members);
  const load = useComputed(() => loads.value.services.get(name) ?? null);
  const traces = `/traces?service=${encodeURIComponent(name)}`;
  return (
    <SidePanel title={node.title} head={<StatusBadge tone={tone}>{word}</StatusBadge>} onClose={onClose}>
      <div class="mp-actions">
        <Button icon="focus" onClick={() => focusOn(focusName() === name ? null : name)}>
          {focusName() === name ? 'Leave focus' : 'Focus'}
        </Button>
        {known && (
          <>
            <a class="button" href={traces}>
              <Icon name="traces" /> Traces
            </a>
            <a class="button" href={`/logs?service=${encodeURIComponent(name)}`}>
              <Icon name="logs" /> Logs
            </a>
            <a class="button" href={`/services/${encodeURIComponent(name)}`}>
              <Icon name="services" /> Service
            </a>
          </>
        )}
      </div>
      <Numbers load={load.value} />
      {node.role === 'ghost' && <p class="mp-remark dim">Somebody declares or makes calls to this name, and no service of that name is registered. Create it, or correct the name in its callers.</p>}
      {node.role === 'outside' && <p class="mp-remark dim">Callers that send no trace context of a service here: browsers, other systems, command lines.</p>}
      {service && service.instances.length > 0 && <Instances instances={service.instances} />}
      {known && <Routes name={name} />}
      <Neighbours graph={graph} id={node.id} />
      {known && <Failures name={name} />}
    </SidePanel>
  );
}

function Numbers({ load }: { load: Load | null }) {
  const cells: [string, string, string][] = [
    ['Calls', load ? rate(load.per_second) : '–', ''],
    ['Failed', load ? percent(load.errors, load.count) : '–', load ? errorTone(load) : ''],
    ['p50', duration(load?.p50_ms), ''],
    ['p95', duration(load?.p95_ms), ''],
    ['p99', duration(load?.p99_ms), ''],
  ];
  return (
    <dl class="mp-figures" title="Answered in the last minute">
      {cells.map(([name, value, look]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={`mp-errors ${look}`}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Instances({ instances }: { instances: readonly MapInstance[] }) {
  return (
    <Section title="Instances" note={String(instances.length)}>
      <ul class="mp-list">
        {instances.map((it) => (
          <Instance key={it.id} it={it} />
        ))}
      </ul>
    </Section>
  );
}

function Instance({ it }: { it: MapInstance }) {
  const now = useNow();
  const health = it.status === 'returning' ? 'returning' : (it.health ?? (it.unhealthy_since_unix_ms > 0 ? 'unhealthy' : 'healthy'));
  return (
    <li class="mp-instance">
      <div class="row between">
        <span class="mono" title={it.id}>
          {shortId(it.id)}
        </span>
        <HealthBadge health={health} {...(it.unhealthy_since_unix_ms > 0 ? { title: `since ${new Date(it.unhealthy_since_unix_ms).toISOString()}` } : {})} />
      </div>
      <div class="small faint cut" title={`${it.call_endpoint} ${it.http_endpoint}`.trim()}>
        {[it.call_endpoint, it.http_endpoint && `http ${it.http_endpoint}`, it.sdk].filter(Boolean).join(' · ')}
      </div>
      {it.certificate && <Age certificate={it.certificate} now={now} />}
    </li>
  );
}

/** How much of a certificate's life is over, as a bar and in words. */
function Age({ certificate, now }: { certificate: Certificate; now: number }) {
  const { share, tone, leftMs } = certificateAge(certificate, now);
  const old = coarse(now - certificate.issued_at_unix_ms) || '0 s';
  const words = leftMs <= 0 ? 'certificate has expired' : `certificate ${old} old, ${coarse(leftMs)} left${tone === 'warn' ? ': renewal is late' : ''}`;
  return (
    <div class={`mp-cert small ${tone === 'ok' ? 'faint' : tone}`}>
      <meter min={0} max={1} low={tone === 'ok' ? 1 : 0} high={tone === 'bad' ? 0 : 1} optimum={0} value={share} aria-label={words} />
      <span>{words}</span>
    </div>
  );
}

function Routes({ name }: { name: string }) {
  const red = useResource(`red ${name}`, (signal) => get<RedPage>('/red', { service: name, window_ms: 300_000 }, signal), { everyMs: REFRESH_MS });
  const detail = useResource(`service ${name}`, (signal) => get<ServiceDetail>(`/services/${encodeURIComponent(name)}`, {}, signal), { everyMs: REFRESH_MS * 3 });
  const page = red.data.value;
  if (!page && !red.error.value) return <Skeleton rows={3} />;
  const measured = (page?.services.find((it) => it.service === name)?.routes ?? []).filter((it) => it.kind !== 'user');
  const rows = measured.map((it) => ({ kind: it.kind, name: it.name, load: it.red as Load | null, points: it.red.points.map((point) => point.count) }));
  const seen = new Set(rows.map((it) => `${it.kind} ${it.name}`));
  for (const it of detail.data.value?.methods ?? []) {
    if (!seen.has(`${it.kind} ${it.name}`)) rows.push({ kind: it.kind, name: it.name, load: null, points: [] });
  }
  rows.sort((a, b) => (b.load?.per_second ?? -1) - (a.load?.per_second ?? -1));
  return (
    <Section title="Routes and methods" note="last 5 minutes" actions={<Stale since={red.staleSinceUnixMs.value} />}>
      {!page && <ErrorNote error={red.error.value} again={red.reload} />}
      {rows.length === 0 && page && <p class="faint">None was registered or called.</p>}
      <ul class="mp-list">
        {rows.slice(0, ROUTES_MAX).map((it) => (
          <li key={`${it.kind} ${it.name}`} class="mp-route">
            <KindTag kind={it.kind} short />
            <a class="grow cut" href={`/traces?service=${encodeURIComponent(name)}&text=${encodeURIComponent(searchWords(it.name))}`} title={`${it.kind} ${it.name}`}>
              {it.name}
            </a>
            {it.load ? (
              <>
                <Sparkline values={it.points} label={`Calls of ${it.name} over five minutes`} width={48} height={16} />
                <RouteNumbers load={it.load} />
              </>
            ) : (
              <span class="faint small">no calls</span>
            )}
          </li>
        ))}
      </ul>
      {rows.length > ROUTES_MAX && <p class="faint small">{plural(rows.length - ROUTES_MAX, 'more', 'more')} on the service’s page.</p>}
    </Section>
  );
}

function Neighbours({ graph, id }: { graph: Graph; id: string }) {
  const calls = graph.links.filter((it) => it.from === id);
  const callers = graph.links.filter((it) => it.to === id);
  return (
    <>
      {callers.length > 0 && <Links title="Called by" links={callers} end={(it) => it.from} />}
      {calls.length > 0 && <Links title="Calls" links={calls} end={(it) => it.to} />}
    </>
  );
}

function Links({ title, links, end }: { title: string; links: readonly MapLink[]; end: (it: MapLink) => string }) {
  const now = loads.value;
  const rows = links.map((it) => ({ it, load: sumLoads(it.pairs.map((pair) => now.links.get(pair))) })).sort((a, b) => (b.load?.per_second ?? -1) - (a.load?.per_second ?? -1));
  return (
    <Section title={title} note={String(links.length)}>
      <ul class="mp-list">
        {rows.slice(0, NEIGHBOURS_MAX).map(({ it, load }) => (
          <li key={it.id} class="mp-route">
            <button class="mp-open grow cut" type="button" title="Show the methods of this call" onClick={() => select(it.id)}>
              {titleOf(end(it))}
            </button>
            {!it.live && it.declared && <StatusBadge tone="warn">nobody serves it</StatusBadge>}
            {load ? <RouteNumbers load={load} /> : <span class="faint small">{it.declared ? 'declared' : 'quiet'}</span>}
          </li>
        ))}
      </ul>
      {rows.length > NEIGHBOURS_MAX && <p class="faint small">and {rows.length - NEIGHBOURS_MAX} more</p>}
    </Section>
  );
}

function Failures({ name }: { name: string }) {
  const found = useResource(`failed ${name}`, (signal) => get<TracesPage>('/traces', { service: name, failed: true, limit: 6 }, signal), { everyMs: REFRESH_MS });
  const traces = found.data.value?.traces;
  return (
    <Section
      title="Last failures"
      actions={
        <a class="small" href={`/traces?service=${encodeURIComponent(name)}&failed=true`}>
          All
        </a>
      }
    >
      <Stale since={found.staleSinceUnixMs.value} />
      {!traces && <ErrorNote error={found.error.value} again={found.reload} />}
      {traces?.length === 0 && <p class="faint">None is stored.</p>}
      <ul class="mp-list">
        {traces?.map((it) => (
          <li key={it.trace_id} class="mp-route">
            <Dot tone="bad" label={it.status.toLowerCase()} />
            <a class="grow cut" href={`/traces/${it.trace_id}`} title={it.subject}>
              {it.subject}
            </a>
            <span class="faint small">
              <Duration ms={it.duration_ms} /> · <Ago at={it.started_at_unix_ms} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function GroupPanel({ node, onClose }: { node: Shown; onClose: () => void }) {
  const now = loads.value;
  const [tone, word] = stateOf('group', node.members);
  const rows = node.members.map((it) => ({ it, load: now.services.get(it.name) ?? null })).sort((a, b) => (b.load?.per_second ?? -1) - (a.load?.per_second ?? -1));
  return (
    <SidePanel title={node.title} head={<StatusBadge tone={tone}>{word}</StatusBadge>} onClose={onClose}>
      <div class="mp-actions">
        <Button icon={node.open ? 'minus' : 'plus'} onClick={() => toggleGroup(node.title)}>
          {node.open ? 'Close the group' : 'Open the group'}
        </Button>
      </div>
      <Numbers load={sumLoads(rows.map((it) => it.load))} />
      <Section title="Services" note={String(node.members.length)}>
        <ul class="mp-list">
          {rows.map(({ it, load }) => (
            <GroupMember key={it.name} member={it} load={load} />
          ))}
        </ul>
      </Section>
    </SidePanel>
  );
}

function GroupMember({ member, load }: { member: Member; load: Load | null }) {
  const [tone, word] = stateOf('service', [member]);
  return (
    <li class="mp-route">
      <Dot tone={tone} label={word} />
      <button class="mp-open grow cut" type="button" title="Focus on it" onClick={() => focusOn(member.name)}>
        {member.name}
      </button>
      {load ? <RouteNumbers load={load} /> : <span class="faint small">{healthOf([member]).unhealthy > 0 ? word : 'no calls'}</span>}
    </li>
  );
}

function LinkPanel({ link, onClose }: { link: MapLink; onClose: () => void }) {
  const load = useComputed(() => sumLoads(link.pairs.map((it) => loads.value.links.get(it))));
  return (
    <SidePanel title={`${titleOf(link.from)} → ${titleOf(link.to)}`} onClose={onClose}>
      <div class="mp-actions">
        <Button icon="left" onClick={() => select(link.from)}>
          {titleOf(link.from)}
        </Button>
        <Button icon="right" onClick={() => select(link.to)}>
          {titleOf(link.to)}
        </Button>
      </div>
      <Numbers load={load.value} />
      {link.declared && !link.live && <p class="mp-remark dim">Something of it is declared that no instance serves now.</p>}
      <LinkMethods link={link} windowMs={WINDOW_MS} />
    </SidePanel>
  );
}
