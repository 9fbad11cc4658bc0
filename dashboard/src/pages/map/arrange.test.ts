import { expect, test } from 'vitest';
import { arrange, type Arc, type Spots, type Task } from './arrange';

const boxes = (names: string[]) => names.map((id) => ({ id, width: 188, height: 56 }));
const arcs = (text: string): Arc[] => text.split(' ').map((it) => ({ from: it[0]!, to: it[1]! }));
const task = (names: string[], calls: Arc[], before: Spots = {}): Task => ({ boxes: boxes(names), arcs: calls, before, aspect: 1.6 });

/** Two hundred nodes and some two thousand calls, always the same. */
function large(): Task {
  let seed = 7;
  const roll = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const names = Array.from({ length: 200 }, (_, at) => `service-${at}`);
  const calls = Array.from({ length: 2000 }, () => [Math.floor(roll() * 200), Math.floor(roll() * 200)] as const)
    .filter(([a, b]) => a < b || roll() < 0.05)
    .map(([a, b]) => ({ from: names[a]!, to: names[b]! }));
  return task(names, calls);
}

function overlaps(input: Task, spots: Spots): string[] {
  const all = input.boxes.map((it) => ({ ...it, ...spots[it.id]! }));
  const found: string[] = [];
  all.forEach((a, at) => {
    for (const b of all.slice(at + 1)) {
      const over = Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;
      if (over) found.push(`${a.id} ${b.id}`);
    }
  });
  return found;
}

test('calls go from left to right', () => {
  const spots = arrange(task(['a', 'b', 'c', 'd'], arcs('ab bc ac cd')));
  expect(['a', 'b', 'c', 'd'].map((it) => spots[it]!.column)).toEqual([0, 1, 2, 3]);
});

test('a circle of calls still gets places', () => {
  const spots = arrange(task(['a', 'b', 'c'], arcs('ab bc ca')));
  expect(Object.keys(spots).sort()).toEqual(['a', 'b', 'c']);
});

test('no box lies over another, with two hundred of them and with boxes of several sizes', () => {
  const input = large();
  expect(overlaps(input, arrange(input))).toEqual([]);
  input.boxes.forEach((it, at) => at % 9 === 0 && Object.assign(it, { width: 424, height: 320 }));
  expect(overlaps(input, arrange(input))).toEqual([]);
});

test('the same graph is arranged the same, in whichever order it is told', () => {
  const input = large();
  const turned = { ...input, boxes: [...input.boxes].reverse() };
  expect(arrange(turned)).toEqual(arrange(input));
});

test('a new node finds a place beside its callers and what stood hardly moves', () => {
  const before = arrange(task(['a', 'b', 'c', 'd'], arcs('ab ac bd cd')));
  const after = arrange(task(['a', 'b', 'c', 'd', 'e'], arcs('ab ac bd cd ae'), before));
  for (const id of ['a', 'b', 'c', 'd']) {
    expect(after[id]!.column).toBe(before[id]!.column);
    expect(Math.abs(after[id]!.y - before[id]!.y)).toBeLessThanOrEqual(80);
  }
  expect(after.e!.column).toBe(before.b!.column);
});

test('what stays does not move at all when another goes', () => {
  const before = arrange(task(['a', 'b', 'c', 'd'], arcs('ab ac ad')));
  const after = arrange(task(['a', 'b', 'd'], arcs('ab ad'), before));
  for (const id of ['a', 'b', 'd']) expect(after[id]).toEqual(before[id]);
});

/** Gateways, thirty-two domains of six services that call each other and those of other domains, and what everybody calls. */
function company(): Task {
  const name = (domain: number, role: number) => `${domain}-${role}`;
  const [gateways, hubs] = [['web', 'mobile', 'partner'], ['auth', 'config', 'flags']];
  const calls: Arc[] = [];
  const domains = Array.from({ length: 32 }, (_, at) => at);
  for (const domain of domains) {
    for (const from of gateways) calls.push({ from, to: name(domain, 0) });
    for (const role of [0, 1, 2, 3, 4, 5]) {
      for (const to of hubs) calls.push({ from: name(domain, role), to });
      if (role > 0) calls.push({ from: name(domain, role - 1), to: name(domain, role) });
      for (const step of [3, 7, 11]) calls.push({ from: name(domain, role), to: name((domain + step) % 32, (role * step) % 6) });
    }
  }
  return task([...gateways, ...hubs, ...domains.flatMap((it) => [0, 1, 2, 3, 4, 5].map((role) => name(it, role)))], calls);
}

test('two hundred services fill the room instead of lying in a band', () => {
  const input = company();
  const spots = Object.values(arrange(input));
  const span = (all: number[]) => Math.max(...all) - Math.min(...all);
  const shape = (span(spots.map((it) => it.x)) + 188) / (span(spots.map((it) => it.y)) + 56);
  expect(shape).toBeGreaterThan(input.aspect / 1.125);
  expect(shape).toBeLessThan(input.aspect * 1.125);
});
