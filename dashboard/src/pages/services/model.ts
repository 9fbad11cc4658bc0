// What the pages of services compute: names, rows, drift, certificates, snippets. Pure.
import type { LiveService, Load, LoadRow, MapInstance, MapMethod, RedRoute, ServiceMethod, ServiceSummary } from '@/api/types';

const NAME_BYTES_MAX = 63;

/** What is wrong with the name of a service to make; null when the runtime would take it. */
export function serviceNameFault(name: string): string | null {
  if (name === '') return 'Enter a name.';
  if (!/^[a-z]/.test(name)) return 'Begin with a lower-case letter.';
  if (!/^[a-z0-9_-]+$/.test(name)) return 'Use a–z, 0–9, “-” and “_” only.';
  return name.length > NAME_BYTES_MAX ? `Take a name of at most ${NAME_BYTES_MAX} characters.` : null;
}

export type State = 'healthy' | 'unhealthy' | 'draining' | 'returning';

/** What an instance is, in one word. */
export function stateOf(it: Pick<MapInstance, 'status' | 'unhealthy_since_unix_ms'> & { health?: string }): State {
  if (it.status === 'returning') return 'returning';
  if (it.health === 'draining') return 'draining';
  return it.health === 'unhealthy' || it.unhealthy_since_unix_ms > 0 ? 'unhealthy' : 'healthy';
}

/** A service in the list: what is stored of it, and what goes on. */
export interface Row {
  summary: ServiceSummary;
  /** How many instances are in each state. */
  states: Record<State, number>;
  instances: number;
  methods: number;
  /** Null: nothing was served in the window. Undefined: not known (yet). */
  load: Load | null | undefined;
}

/** Load of each service by name, from one `load` event; rows refer to the `map` event of the same sequence. */
export function loadsOf(services: readonly { name: string }[], rows: readonly LoadRow[]): Map<string, Load> {
  const found = new Map<string, Load>();
  for (const [at, count, errors, per_second, p50_ms, p95_ms, p99_ms] of rows) {
    const name = services[at]?.name;
    if (name !== undefined) found.set(name, { count, errors, per_second, p50_ms, p95_ms, p99_ms });
  }
  return found;
}

/** Joins the stored list with the live map; what only the map knows yet is shown as well. */
export function rowsOf(stored: readonly ServiceSummary[], live: readonly LiveService[] | null, loads: ReadonlyMap<string, Load> | null): Row[] {
  const byName = new Map((live ?? []).map((it) => [it.name, it]));
  const rows = stored.map((summary) => row(summary, byName.get(summary.name), live !== null, loads));
  const known = new Set(stored.map((it) => it.name));
  for (const it of byName.values()) {
    if (known.has(it.name)) continue;
    const summary = { id: it.id, name: it.name, status: it.status, keys: 0, instances: it.instances.length, created_at_unix_ms: 0 };
    rows.push(row(summary, it, true, loads));
  }
  return rows;
}

function row(summary: ServiceSummary, live: LiveService | undefined, known: boolean, loads: ReadonlyMap<string, Load> | null): Row {
  const states: Record<State, number> = { healthy: 0, unhealthy: 0, draining: 0, returning: 0 };
  for (const it of live?.instances ?? []) states[stateOf(it)] += 1;
  return {
    summary: live && live.status !== summary.status ? { ...summary, status: live.status } : summary,
    states,
    instances: known ? (live?.instances.length ?? 0) : summary.instances,
    methods: new Set((live?.methods ?? []).map((it) => `${it.kind} ${it.name}`)).size,
    load: loads === null ? undefined : (loads.get(summary.name) ?? null),
  };
}

/** The worst thing to say of a service, for its dot: what somebody has to do something about comes first. */
export function standing(it: Row): { tone: 'ok' | 'warn' | 'bad' | 'idle'; word: string } {
  if (it.summary.status !== 'active') return { tone: 'idle', word: it.summary.status };
  if (it.instances === 0) return { tone: 'idle', word: 'no instance' };
  const gone = it.states.unhealthy;
  if (gone > 0) return gone === it.instances ? { tone: 'bad', word: 'unhealthy' } : { tone: 'warn', word: `${gone} unhealthy` };
  if (it.states.returning > 0) return { tone: 'warn', word: 'returning' };
  return it.states.draining > 0 ? { tone: 'warn', word: 'draining' } : { tone: 'ok', word: 'healthy' };
}

export type SortKey = 'name' | 'instances' | 'routes' | 'rate' | 'errors' | 'p95' | 'keys' | 'created';

const RANKS: Record<SortKey, (it: Row) => number | string> = {
  name: (it) => it.summary.name,
  instances: (it) => it.instances,
  routes: (it) => it.methods,
  rate: (it) => it.load?.per_second ?? -1,
  errors: (it) => (it.load && it.load.count > 0 ? it.load.errors / it.load.count : -1),
  p95: (it) => it.load?.p95_ms ?? -1,
  keys: (it) => it.summary.keys,
  created: (it) => it.summary.created_at_unix_ms,
};

/** Rows in order; equal ones by name, so that the order is still while nothing changes. */
export function sorted(rows: readonly Row[], key: SortKey, descending: boolean): Row[] {
  const rank = RANKS[key];
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    const order = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y);
    return order * sign || a.summary.name.localeCompare(b.summary.name);
  });
}

/** A method with every contract that is served under its name. */
export interface MethodGroup<M extends MapMethod = ServiceMethod> {
  key: string;
  kind: string;
  name: string;
  published: boolean;
  /** Most instances first. More than one: instances disagree about the contract. */
  versions: M[];
}

const KINDS = ['http', 'rpc', 'event', 'job', 'workflow', 'user'];

/** Methods by kind and name; contracts of one name together. */
export function methodGroups(methods: readonly ServiceMethod[]): MethodGroup[] {
  const groups = new Map<string, MethodGroup>();
  for (const it of methods) {
    const key = `${it.kind} ${it.published ? 'publishes ' : ''}${it.name}`;
    const found = groups.get(key);
    if (found) found.versions.push(it);
    else groups.set(key, { key, kind: it.kind, name: it.name, published: it.published, versions: [it] });
  }
  for (const it of groups.values()) it.versions.sort((a, b) => b.instances - a.instances || a.contract_hash.localeCompare(b.contract_hash));
  const rank = (it: MethodGroup) => KINDS.indexOf(it.kind) * 2 + Number(it.published);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b) || pathOf(a.name).localeCompare(pathOf(b.name)) || a.name.localeCompare(b.name));
}

/** `GET /orders` sorts by its path. */
const pathOf = (name: string) => name.split(' ')[1] ?? name;

/** Whether instances serve different contracts under this name. */
export const drifts = (group: MethodGroup): boolean => new Set(group.versions.map((it) => it.contract_hash)).size > 1;

/** What was counted of a method. Names of requests are `METHOD template`, of the others the method's own. */
export const redOf = (routes: readonly RedRoute[] | null, kind: string, name: string): RedRoute | undefined =>
  routes?.find((it) => it.kind === kind && it.name === name);

/** What a service needs to join, in the languages there are. */
export function snippets(name: string, key: string, address: string): { env: string; rust: string; other: string } {
  return {
    env: `export BRIDGE_URL=${address}\nexport BRIDGE_KEY=${key}`,
    rust: [
      ['// Reads BRIDGE_URL and BRIDGE_KEY.'],
      [`let bridge = Bridge::from_env("${name}")?`],
      ['    .advertise("127.0.0.1:0")', '// where others reach this instance'],
      ['    .serve(bridge::handlers![])', '// its RPCs, if it has some'],
      ['    .start()'],
      ['    .await?;'],
      ['bridge.serve_http(listener, app).await?;', '// your axum router, on the map'],
    ]
      .map(([code = '', remark]) => (remark ? code.padEnd(42) + remark : code))
      .join('\n'),
    other: [
      '# Node and Go: the ServiceBridge SDKs (2.0 line) take the same two values,',
      '# by habit from these variables:',
      `export SERVICEBRIDGE_URL=${address}`,
      `export SERVICEBRIDGE_SERVICE_KEY=${key}`,
    ].join('\n'),
  };
}
