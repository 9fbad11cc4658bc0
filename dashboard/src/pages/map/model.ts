// What the map shows, before anything is drawn: nodes (services, groups of services, whoever is outside, names that are called
// but not there) and links between them. Pure. Invariant: a link's ends are ids of nodes of the same graph.
import type { Link, LiveService, Load } from '@/api/types';

export const OUTSIDE = '';
export const OUTSIDE_ID = 'outside';

export type Tone = 'ok' | 'warn' | 'bad' | 'idle';

/** A service as the map needs it. `ghost`: somebody calls it, nobody registered it. */
export interface Member {
  name: string;
  service: LiveService | null;
}

export type Role = 'service' | 'ghost' | 'outside' | 'group';

export interface MapNode {
  /** `s:name`, `g:prefix` or `outside`. */
  id: string;
  role: Role;
  /** What it is called. */
  title: string;
  /** What is written on it: a member of an open group needs no prefix. */
  short?: string;
  /** One for a service, all of them for a group. */
  members: Member[];
  /** The group is open: its members are drawn inside of it, and links end at them. */
  open: boolean;
  width: number;
  height: number;
}

export interface MapLink {
  /** `from>to` of the ids. */
  id: string;
  from: string;
  to: string;
  /** Pairs of names that it stands for: keys of loads. */
  pairs: string[];
  methods: number;
  declared: boolean;
  live: boolean;
  kinds: string[];
}

export interface Graph {
  nodes: MapNode[];
  links: MapLink[];
  /** Where a service is drawn: name → id of the node (of its group while that is closed). */
  drawnAt: Map<string, string>;
  /** Open groups: id → ids of the members that are drawn inside. */
  inside: Map<string, string[]>;
  /** Services that were left out because none of them runs and nobody calls them. */
  absent: number;
}

export interface Health {
  healthy: number;
  unhealthy: number;
  draining: number;
  returning: number;
}

export const CARD_WIDTH = 188;
export const CARD_HEIGHT = 56;
export const GROUP_HEIGHT = 72;

export const serviceId = (name: string): string => (name === OUTSIDE ? OUTSIDE_ID : `s:${name}`);
export const groupId = (prefix: string): string => `g:${prefix}`;
export const pairKey = (from: string, to: string): string => `${from}\u0000${to}`;

const LOOKS = ['id', 'role', 'title', 'short', 'open', 'width', 'height'] as const;

/** Whether both are drawn alike; services that are told again as they were are the same objects (see the store). */
export function sameNode(a: MapNode, b: MapNode): boolean {
  const alike = LOOKS.every((key) => a[key] === b[key]) && a.members.length === b.members.length;
  return alike && a.members.every((it, at) => it.name === b.members[at]?.name && it.service === b.members[at]?.service);
}

/** States of instances, counted. */
export function healthOf(members: readonly Member[]): Health {
  const sum: Health = { healthy: 0, unhealthy: 0, draining: 0, returning: 0 };
  for (const { service } of members) {
    for (const it of service?.instances ?? []) {
      if (it.status === 'returning') sum.returning += 1;
      else sum[it.health ?? (it.unhealthy_since_unix_ms > 0 ? 'unhealthy' : 'healthy')] += 1;
    }
  }
  return sum;
}

export const instancesOf = (it: Health): number => it.healthy + it.unhealthy + it.draining + it.returning;

/** Whether all of them only report (over OTLP): then there are no instances to know of. */
export const isForeign = (members: readonly Member[]): boolean => members.every((it) => it.service?.status === 'foreign');

/** The state of all instances in one word, with its tone. */
export function stateOf(role: Role, members: readonly Member[]): [Tone, string] {
  const it = healthOf(members);
  const all = instancesOf(it);
  if (isForeign(members)) return ['ok', 'reports over OTLP'];
  if (role === 'outside') return ['idle', 'callers outside of the map'];
  if (role === 'ghost') return ['warn', 'not registered'];
  if (all === 0) return ['idle', 'no instance runs'];
  if (it.unhealthy === all) return ['bad', 'unhealthy'];
  if (it.unhealthy > 0) return ['bad', `${it.unhealthy} of ${all} unhealthy`];
  if (it.draining > 0) return ['warn', it.draining === all ? 'draining' : `${it.draining} of ${all} draining`];
  if (it.returning > 0) return ['warn', it.returning === all ? 'returning' : `${it.returning} of ${all} returning`];
  return ['ok', 'healthy'];
}

const ERRORS_WARN = 0.01;
const ERRORS_BAD = 0.05;

/**
 * Tone of a share of failed calls: bad from 5 %, a warning from 1 %. One failure among few says little: a warning takes two of them
 * (or all there were), bad takes three.
 */
export function errorTone(load: Load | null | undefined): Tone {
  if (!load || load.count === 0) return 'idle';
  const share = load.errors / load.count;
  if (share >= ERRORS_BAD && load.errors >= 3) return 'bad';
  return (share >= ERRORS_WARN && load.errors >= 2) || share === 1 ? 'warn' : 'ok';
}

/** Several loads as one. Counts and rates add up; percentiles cannot be added, so the worst of them is shown. */
export function sumLoads(loads: Iterable<Load | null | undefined>): Load | null {
  let sum: Load | null = null;
  for (const it of loads) {
    if (!it) continue;
    sum = sum
      ? {
          count: sum.count + it.count,
          errors: sum.errors + it.errors,
          per_second: sum.per_second + it.per_second,
          p50_ms: Math.max(sum.p50_ms, it.p50_ms),
          p95_ms: Math.max(sum.p95_ms, it.p95_ms),
          p99_ms: Math.max(sum.p99_ms, it.p99_ms),
        }
      : it;
  }
  return sum;
}

/** What the stream's rows mean: `index` into what the map event listed. */
export interface Loads {
  services: Map<string, Load>;
  /** By `pairKey`. */
  links: Map<string, Load>;
}

export const NO_LOADS: Loads = { services: new Map(), links: new Map() };

/** Nothing known of an index is dropped: rows of another sequence must not be given. */
export function readLoads(
  services: readonly LiveService[],
  links: readonly Link[],
  rows: { services: readonly (readonly number[])[]; links: readonly (readonly number[])[] },
): Loads {
  const found: Loads = { services: new Map(), links: new Map() };
  for (const row of rows.services) {
    const it = services[row[0] ?? -1];
    if (it) found.services.set(it.name, loadOf(row));
  }
  for (const row of rows.links) {
    const it = links[row[0] ?? -1];
    if (it) found.links.set(pairKey(it.from, it.to), loadOf(row));
  }
  return found;
}

const loadOf = ([, count = 0, errors = 0, per_second = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0]: readonly number[]): Load => ({
  count,
  errors,
  per_second,
  p50_ms,
  p95_ms,
  p99_ms,
});
