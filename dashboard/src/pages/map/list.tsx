// The map as a table: the same services, states and numbers, for whoever reads rather than looks.
import { useState } from 'preact/hooks';
import { DataTable, Dot, duration, percent, rate, type Column, type Sort } from '@/ui';
import { select, selected } from './choice';
import { errorTone, healthOf, instancesOf, serviceId, stateOf, type Graph, type Role, type Tone } from './model';
import { certificateFault } from '@/telemetry/certificate';
import { loads, slowClock, topology } from './store';
import type { Load } from '@/api/types';

interface Line {
  id: string;
  name: string;
  tone: Tone;
  state: string;
  instances: number;
  calls: number;
  callers: number;
  load: Load | null;
}

const COLUMNS: readonly Column<Line>[] = [
  { key: 'name', title: 'Service', width: 'minmax(160px, 2fr)', sortable: true, cell: (it) => <strong>{it.name}</strong> },
  { key: 'state', title: 'State', width: 'minmax(140px, 1fr)', sortable: true, cell: (it) => <span class="row"><Dot tone={it.tone} /> {it.state}</span> },
  { key: 'instances', title: 'Instances', width: '80px', numeric: true, sortable: true, cell: (it) => it.instances },
  { key: 'rate', title: 'Calls', width: '90px', numeric: true, sortable: true, cell: (it) => (it.load ? rate(it.load.per_second) : '–') },
  { key: 'errors', title: 'Failed', width: '80px', numeric: true, sortable: true, cell: (it) => <span class={`mp-errors ${errorTone(it.load)}`}>{it.load ? percent(it.load.errors, it.load.count) : '–'}</span> },
  { key: 'p95', title: 'p95', width: '90px', numeric: true, sortable: true, cell: (it) => duration(it.load?.p95_ms) },
  { key: 'callers', title: 'Called by', width: '80px', numeric: true, sortable: true, cell: (it) => it.callers },
  { key: 'calls', title: 'Calls to', width: '80px', numeric: true, sortable: true, cell: (it) => it.calls },
];

const VALUE: Record<string, (it: Line) => number | string> = {
  name: (it) => it.name,
  state: (it) => it.state,
  instances: (it) => it.instances,
  rate: (it) => it.load?.per_second ?? -1,
  errors: (it) => (it.load && it.load.count > 0 ? it.load.errors / it.load.count : -1),
  p95: (it) => it.load?.p95_ms ?? -1,
  callers: (it) => it.callers,
  calls: (it) => it.calls,
};

/** Ids of the lines whose name holds the text. */
export function listed(graph: Graph, text: string): Set<string> {
  const names = graph.nodes.flatMap((node) => node.members.map((it) => it.name));
  return new Set(names.filter((it) => nameIn(it).toLowerCase().includes(text)).map(serviceId));
}

const nameIn = (name: string): string => name || 'Outside';

/** One line for each service of the graph, whether its group is open or not. */
function linesOf(graph: Graph): Line[] {
  const now = loads.value;
  const links = topology.value?.links ?? [];
  const tally = (names: readonly string[]) => names.reduce((sum, it) => sum.set(it, (sum.get(it) ?? 0) + 1), new Map<string, number>());
  const [callers, calls] = [tally(links.map((it) => it.to)), tally(links.map((it) => it.from))];
  return graph.nodes.flatMap((node) =>
    node.members.map((member) => {
      const role: Role = node.role === 'group' ? (member.service ? 'service' : 'ghost') : node.role;
      const [tone, state] = stateOf(role, [member]);
      const certificates = certificateFault(member.service?.instances ?? [], slowClock.value);
      return {
        id: serviceId(member.name),
        name: nameIn(member.name),
        tone: certificates && tone === 'ok' ? certificates.tone : tone,
        state: certificates ? `${state}, ${certificates.word}` : state,
        instances: instancesOf(healthOf([member])),
        calls: calls.get(member.name) ?? 0,
        callers: callers.get(member.name) ?? 0,
        load: now.services.get(member.name) ?? null,
      };
    }),
  );
}

/** `found`: ids of lines; null is all of them. */
export function ListView({ graph, found }: { graph: Graph; found: ReadonlySet<string> | null }) {
  const [sort, setSort] = useState<Sort>({ key: 'name', descending: false });
  const value = VALUE[sort.key] ?? VALUE.name!;
  const lines = linesOf(graph).filter((it) => !found || found.has(it.id));
  lines.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    const order = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y);
    return (sort.descending ? -order : order) || a.name.localeCompare(b.name);
  });
  return <DataTable label="Services" rows={lines} columns={COLUMNS} rowKey={(it) => it.id} selected={selected()?.id ?? null} sort={sort} onSort={setSort} onOpen={(it) => select(it.id)} />;
}
