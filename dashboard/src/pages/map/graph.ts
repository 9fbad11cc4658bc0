// From what the runtime tells to what is drawn: which services are nodes of their own, which are in a group, which are left out,
// and which links that makes. Pure.
import type { Link, LiveService } from '@/api/types';
import { groupNames } from './group';
import {
  CARD_HEIGHT,
  CARD_WIDTH,
  GROUP_HEIGHT,
  groupId,
  OUTSIDE,
  OUTSIDE_ID,
  pairKey,
  serviceId,
  type Graph,
  type MapLink,
  type MapNode,
  type Member,
} from './model';
import { openSize } from './inner';

export interface Wish {
  grouped: boolean;
  /** Prefixes of the groups that are open. */
  open: ReadonlySet<string>;
  /** Only this service and whoever is at most `hops` calls away. */
  focus: string | null;
  hops: number;
  /** Also services without an instance that nobody calls. */
  absent: boolean;
}

export function drawGraph(services: readonly LiveService[], links: readonly Link[], wish: Wish): Graph {
  const near = wish.focus === null ? null : neighbourhood(links, wish.focus, wish.hops);
  const kept = links.filter((it) => !near || (near.has(it.from) && near.has(it.to)));
  const { members, absent } = membersOf(services, kept, wish, near);
  const grouping = wish.grouped ? groupNames(members.filter((it) => it.name !== OUTSIDE).map((it) => it.name)) : new Map<string, string>();
  const nodes = nodesOf(members, grouping, wish.open);
  const graph: Graph = { nodes: [...nodes.values()], links: [], drawnAt: new Map(), inside: new Map(), absent };
  for (const node of graph.nodes) placeMembers(graph, node);
  graph.links = linksOf(kept, graph.drawnAt);
  return graph;
}

/** How many calls away each node is from `from`, in either direction; what is not connected is missing. */
export function distances(links: readonly MapLink[], from: string): Map<string, number> {
  const found = new Map([[from, 0]]);
  for (let edge = [from]; edge.length > 0; ) {
    const standing = new Set(edge);
    edge = [];
    for (const it of links) {
      for (const [a, b] of [[it.from, it.to], [it.to, it.from]] as const) {
        if (!standing.has(a) || found.has(b)) continue;
        found.set(b, (found.get(a) ?? 0) + 1);
        edge.push(b);
      }
    }
  }
  return found;
}

/** Names at most `hops` calls away from `from`, in either direction; itself included. */
export function neighbourhood(links: readonly Link[], from: string, hops: number): Set<string> {
  const found = new Set([from]);
  let edge = [from];
  for (let hop = 0; hop < hops; hop++) {
    const next = new Set<string>();
    const standing = new Set(edge);
    for (const it of links) {
      if (standing.has(it.from) && !found.has(it.to)) next.add(it.to);
      if (standing.has(it.to) && !found.has(it.from)) next.add(it.from);
    }
    next.forEach((it) => found.add(it));
    edge = [...next];
  }
  return found;
}

function membersOf(services: readonly LiveService[], links: readonly Link[], wish: Wish, near: Set<string> | null) {
  const called = new Set(links.flatMap((it) => [it.from, it.to]));
  const members: Member[] = [];
  const known = new Set<string>();
  let absent = 0;
  for (const service of services) {
    known.add(service.name);
    if (near && !near.has(service.name)) continue;
    const runs = service.instances.length > 0 || service.status === 'foreign' || called.has(service.name) || service.name === wish.focus;
    if (!runs) absent += 1;
    if (runs || wish.absent) members.push({ name: service.name, service });
  }
  for (const name of called) {
    if (!known.has(name)) members.push({ name, service: null });
  }
  return { members, absent };
}

function nodesOf(members: readonly Member[], grouping: Map<string, string>, open: ReadonlySet<string>): Map<string, MapNode> {
  const nodes = new Map<string, MapNode>();
  for (const member of members) {
    const prefix = grouping.get(member.name);
    if (prefix === undefined) {
      const node = single(member);
      nodes.set(node.id, node);
      continue;
    }
    const id = groupId(prefix);
    const group = nodes.get(id) ?? { id, role: 'group' as const, title: prefix, members: [], open: open.has(prefix), width: CARD_WIDTH, height: GROUP_HEIGHT };
    group.members.push(member);
    nodes.set(id, group);
  }
  for (const node of nodes.values()) {
    if (node.open) Object.assign(node, openSize(node.members.length));
  }
  return nodes;
}

function single(member: Member): MapNode {
  const outside = member.name === OUTSIDE;
  return {
    id: serviceId(member.name),
    role: outside ? 'outside' : member.service ? 'service' : 'ghost',
    title: outside ? 'Outside' : member.name,
    members: [member],
    open: false,
    width: outside ? 152 : CARD_WIDTH,
    height: CARD_HEIGHT,
  };
}

function placeMembers(graph: Graph, node: MapNode): void {
  const own = node.role === 'group' && !node.open;
  for (const it of node.members) graph.drawnAt.set(it.name, own ? node.id : serviceId(it.name));
  if (node.open) graph.inside.set(node.id, node.members.map((it) => serviceId(it.name)));
}

function linksOf(links: readonly Link[], drawnAt: Map<string, string>): MapLink[] {
  const found = new Map<string, MapLink>();
  for (const it of links) {
    const from = drawnAt.get(it.from);
    const to = drawnAt.get(it.to);
    // Calls inside of a closed group have nowhere to be drawn; its load has them.
    if (from === undefined || to === undefined || (from === to && from.startsWith('g:'))) continue;
    const id = `${from}>${to}`;
    const link = found.get(id) ?? { id, from, to, pairs: [], methods: 0, declared: false, live: true, kinds: [] };
    link.pairs.push(pairKey(it.from, it.to));
    link.methods += it.methods.length;
    link.declared ||= it.declared;
    link.live &&= it.live;
    for (const method of it.methods) {
      const kind = method.slice(0, method.indexOf(' '));
      if (!link.kinds.includes(kind)) link.kinds.push(kind);
    }
    found.set(id, link);
  }
  return [...found.values()];
}

/** Who calls whom, and what is drawn how large: all that positions depend on. Loads and health are not in it. */
export function shapeOf(graph: Graph): string {
  const nodes = graph.nodes.map((it) => `${it.id}:${it.width}x${it.height}`).sort();
  const links = graph.links.map((it) => it.id).sort();
  return `${nodes.join('\u0001')}\u0002${links.join('\u0001')}`;
}

/** `OUTSIDE_ID` → the empty name, `s:name` → name; null for a group. */
export const nameOf = (id: string): string | null => (id === OUTSIDE_ID ? OUTSIDE : id.startsWith('s:') ? id.slice(2) : null);

/** What a node is called, by its id. */
export const titleOf = (id: string): string => (id === OUTSIDE_ID ? 'Outside' : id.slice(2));
