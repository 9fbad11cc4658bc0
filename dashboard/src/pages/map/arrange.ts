// Where nodes stand. Calls go from left to right: a node's column is its trophic level (as far right of its callers as it is left
// of what it calls, in the least squares), which, unlike longest paths, is meant for graphs with circles and thousands of
// calls. Rows come from d3-force (calls pull, columns push apart). Deterministic; takes topology, never traffic, so that positions do not
// move while data does. With `before`, what stood stays where it was, and only what is new looks for a place. Pure; runs in the worker.
import { forceLink, forceSimulation, forceY, type SimulationNodeDatum } from 'd3-force';

export interface Box {
  id: string;
  width: number;
  height: number;
}

export interface Arc {
  from: string;
  to: string;
}

export interface Spot {
  x: number;
  y: number;
  column: number;
}

export type Spots = Record<string, Spot>;

export interface Task {
  boxes: Box[];
  arcs: Arc[];
  /** Where nodes stood; empty for a fresh start. */
  before: Spots;
  /** Width by height of the room. */
  aspect: number;
}

const GAP_X = 104;
const GAP_Y = 20;
const GRID = 4;
const LEVEL_ROUNDS = 200;
/** So many columns are never too many. */
const COLUMNS_FREE = 5;
/** Less of a rise is no direction. */
const FORWARD_MIN = 0.05;
/** Columns of this height are never too high. */
const HEIGHT_FREE = 420;
/** Heights that are tried, against that of a full square. */
const HEIGHT_TRIES = [1.1, 1.25, 1.4, 1.6, 1.8, 2.1];
const SWEEPS = 12;
const TICKS = 160;
/** At least this share must have stood before for it to stay; else everything is arranged anew. */
const KEPT_SHARE_MIN = 0.5;
/** What stood gives way this many times less than what is new. */
const KEPT_WEIGHT = 400;

interface Node extends SimulationNodeDatum {
  id: string;
  width: number;
  height: number;
  column: number;
  y: number;
  kept: boolean;
  calls: Node[];
  calledBy: Node[];
}

export function arrange(task: Task): Spots {
  const nodes = task.boxes.map<Node>((it) => ({ ...it, column: 0, y: 0, kept: false, calls: [], calledBy: [] }));
  if (nodes.length === 0) return {};
  nodes.sort((a, b) => (a.id < b.id ? -1 : 1));
  connect(nodes, task.arcs);
  const stood = nodes.filter((it) => task.before[it.id]);
  const keep = stood.length >= Math.max(1, nodes.length * KEPT_SHARE_MIN);
  if (keep) keepPlaces(nodes, task.before);
  else columnsByLevel(nodes, task.aspect);
  const columns = byColumn(nodes);
  if (!keep) {
    orderRows(columns);
    pull(nodes, columns);
  }
  for (const column of columns) settle(column);
  return spots(columns);
}

function connect(nodes: Node[], arcs: readonly Arc[]): void {
  const byId = new Map(nodes.map((it) => [it.id, it]));
  for (const arc of arcs) {
    const from = byId.get(arc.from);
    const to = byId.get(arc.to);
    if (!from || !to || from === to) continue;
    from.calls.push(to);
    to.calledBy.push(from);
  }
}

/** Least squares of `level(callee) = level(caller) + 1`, by repeated averaging; circles share the error. */
export function levels(nodes: readonly { calls: object[]; calledBy: object[] }[]): number[] {
  const at = new Map(nodes.map((it, index) => [it as object, index]));
  const level = nodes.map(() => 0);
  for (let round = 0; round < LEVEL_ROUNDS; round++) {
    let moved = 0;
    nodes.forEach((it, index) => {
      const degree = it.calls.length + it.calledBy.length;
      if (degree === 0) return;
      let sum = 0;
      for (const caller of it.calledBy) sum += (level[at.get(caller) ?? 0] ?? 0) + 1;
      for (const callee of it.calls) sum += (level[at.get(callee) ?? 0] ?? 0) - 1;
      const next = sum / degree;
      moved = Math.max(moved, Math.abs(next - (level[index] ?? 0)));
      level[index] = next;
    });
    if (moved < 0.002) break;
  }
  return level;
}

/** Columns by level; a column that would be too high for the room is split, in the order of its levels. */
function columnsByLevel(nodes: Node[], aspect: number): void {
  const level = sharpen(nodes, alignParts(nodes, levels(nodes)), aspect);
  const lowest = Math.min(...level);
  const rough = new Map<number, [number, Node][]>();
  nodes.forEach((it, index) => {
    const column = Math.round((level[index] ?? 0) - lowest);
    const list = rough.get(column) ?? [];
    list.push([level[index] ?? 0, it]);
    rough.set(column, list);
  });
  const ordered = [...rough.keys()].sort((a, b) => a - b).map((it) => (rough.get(it) ?? []).sort((a, b) => a[0] - b[0] || (a[1].id < b[1].id ? -1 : 1)).map(([, node]) => node));
  const area = nodes.reduce((sum, it) => sum + (it.width + GAP_X) * (it.height + GAP_Y), 0);
  const square = Math.sqrt(area / aspect);
  const least = Math.max(HEIGHT_FREE, ...nodes.map((it) => it.height));
  // Columns are never all full, so that what looks square on paper is too wide: the height that fills the room best is tried for.
  const heights = HEIGHT_TRIES.map((it) => Math.max(least, square * it));
  const tries = heights.map((it) => ordered.flatMap((list) => split(list, it)));
  const best = tries.reduce((a, b) => (roomFor(b, aspect) < roomFor(a, aspect) ? b : a));
  best.forEach((list, column) => list.forEach((it) => (it.column = column)));
}

const heightOf = (list: readonly Node[]): number => list.reduce((sum, it) => sum + it.height + GAP_Y, 0);

/** In as many parts of about one height as make none taller than `tallest`. */
function split(list: readonly Node[], tallest: number): Node[][] {
  const height = heightOf(list);
  const parts = Array.from({ length: Math.max(1, Math.ceil(height / tallest)) }, (): Node[] => []);
  let filled = 0;
  for (const it of list) {
    parts[Math.min(parts.length - 1, Math.floor((filled / height) * parts.length))]?.push(it);
    filled += it.height + GAP_Y;
  }
  return parts.filter((it) => it.length > 0);
}

/** Height of the least room of this aspect that holds the columns. */
function roomFor(columns: readonly Node[][], aspect: number): number {
  const width = columns.reduce((sum, list) => sum + Math.max(...list.map((it) => it.width)) + GAP_X, 0);
  return Math.max(width / aspect, ...columns.map(heightOf));
}

/**
 * Where it leaves few enough columns, every call that goes forward crosses at least one column (longest path over the calls that
 * raise the level): small maps have no calls within a column then. Else the levels stay as they are.
 */
function sharpen(nodes: readonly Node[], level: number[], aspect: number): number[] {
  const at = new Map(nodes.map((it, index) => [it, index]));
  const columns = Math.max(COLUMNS_FREE, Math.round(Math.sqrt(nodes.length * aspect * 0.6)));
  const order = nodes.map((_, index) => index).sort((a, b) => (level[a] ?? 0) - (level[b] ?? 0));
  const depth = nodes.map(() => 0);
  for (const index of order) {
    for (const to of nodes[index]?.calls ?? []) {
      const next = at.get(to) ?? 0;
      const forward = (level[next] ?? 0) - (level[index] ?? 0) > FORWARD_MIN;
      if (forward) depth[next] = Math.max(depth[next] ?? 0, (depth[index] ?? 0) + 1);
    }
  }
  return Math.max(...depth) + 1 <= columns ? depth : level;
}

/** Levels are known up to a constant for each connected part: each part begins at 0. */
function alignParts(nodes: readonly Node[], level: number[]): number[] {
  const at = new Map(nodes.map((it, index) => [it, index]));
  const seen = new Set<Node>();
  for (const start of nodes) {
    if (seen.has(start)) continue;
    const part = [start];
    seen.add(start);
    for (const it of part) {
      for (const next of [...it.calls, ...it.calledBy]) {
        if (!seen.has(next)) {
          seen.add(next);
          part.push(next);
        }
      }
    }
    const lowest = Math.min(...part.map((it) => level[at.get(it) ?? 0] ?? 0));
    for (const it of part) level[at.get(it) ?? 0] = (level[at.get(it) ?? 0] ?? 0) - lowest;
  }
  return level;
}

function keepPlaces(nodes: Node[], before: Spots): void {
  const fresh: Node[] = [];
  for (const it of nodes) {
    const spot = before[it.id];
    if (spot) Object.assign(it, { column: spot.column, y: spot.y, kept: true });
    else fresh.push(it);
  }
  const last = Math.max(0, ...Object.values(before).map((it) => it.column));
  for (const it of fresh) {
    const wanted = [...it.calledBy.filter((by) => by.kept).map((by) => by.column + 1), ...it.calls.filter((to) => to.kept).map((to) => to.column - 1)];
    it.column = wanted.length === 0 ? 0 : Math.max(0, Math.min(last + 1, Math.round(mean(wanted))));
    const rows = [...it.calledBy, ...it.calls].filter((other) => other.kept).map((other) => other.y);
    it.y = rows.length === 0 ? Math.max(0, ...nodes.filter((other) => other.kept).map((other) => other.y)) + 200 : mean(rows);
  }
}

const mean = (all: readonly number[]): number => all.reduce((sum, it) => sum + it, 0) / Math.max(1, all.length);

function byColumn(nodes: readonly Node[]): Node[][] {
  const found = new Map<number, Node[]>();
  for (const it of nodes) {
    const list = found.get(it.column);
    if (list) list.push(it);
    else found.set(it.column, [it]);
  }
  return [...found.entries()].sort((a, b) => a[0] - b[0]).map(([, list]) => list);
}

/** Puts each column in the order of the mean row of its neighbours, back and forth, so that few calls cross. */
function orderRows(columns: Node[][]): void {
  columns.forEach(stackUp);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const order = sweep % 2 === 0 ? columns : [...columns].reverse();
    for (const column of order) {
      const wish = new Map(column.map((it) => [it, meanRow(it)]));
      column.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0) || (a.id < b.id ? -1 : 1));
      stackUp(column);
    }
  }
}

const meanRow = (it: Node): number => {
  const near = [...it.calls, ...it.calledBy];
  return near.length === 0 ? it.y : mean(near.map((other) => other.y));
};

/** One below the other, around 0. */
function stackUp(column: Node[]): void {
  const height = column.reduce((sum, it) => sum + it.height + GAP_Y, -GAP_Y);
  let top = -height / 2;
  for (const it of column) {
    it.y = top + it.height / 2;
    top += it.height + GAP_Y;
  }
}

/** d3-force: calls pull their ends to one row, everything a little to the middle, and columns keep their nodes apart. */
function pull(nodes: Node[], columns: readonly Node[][]): void {
  const links = nodes.flatMap((it) => it.calls.map((to) => ({ source: it, target: to })));
  for (const it of nodes) it.fx = 0;
  const simulation = forceSimulation(nodes)
    .force('calls', forceLink<Node, { source: Node; target: Node }>(links).distance(0).iterations(1))
    .force('middle', forceY<Node>(0).strength(0.02))
    .force('apart', () => columns.forEach((it) => settle(it)))
    .stop();
  simulation.tick(TICKS);
}

/**
 * Moves nodes of one column just as far as they need to stand apart, in their order, with the least squares of movement
 * (neighbours that touch become a block that moves as one). What stood before weighs more.
 */
function settle(column: Node[]): void {
  column.sort((a, b) => a.y - b.y || (a.id < b.id ? -1 : 1));
  interface Block {
    wish: number;
    weight: number;
    height: number;
    nodes: Node[];
  }
  const blocks: Block[] = [];
  for (const it of column) {
    const weight = it.kept ? KEPT_WEIGHT : 1;
    let block: Block = { wish: it.y - it.height / 2, weight, height: it.height + GAP_Y, nodes: [it] };
    let above = blocks[blocks.length - 1];
    while (above && above.wish + above.height > block.wish) {
      const sum = above.weight + block.weight;
      const wish = (above.wish * above.weight + (block.wish - above.height) * block.weight) / sum;
      block = { wish, weight: sum, height: above.height + block.height, nodes: [...above.nodes, ...block.nodes] };
      blocks.pop();
      above = blocks[blocks.length - 1];
    }
    blocks.push(block);
  }
  for (const block of blocks) {
    let top = block.wish;
    for (const it of block.nodes) {
      it.y = top + it.height / 2;
      top += it.height + GAP_Y;
    }
  }
}

const snap = (value: number): number => Math.round(value / GRID) * GRID;

function spots(columns: readonly Node[][]): Spots {
  const found: Spots = {};
  let left = 0;
  columns.forEach((list, column) => {
    const width = Math.max(...list.map((it) => it.width));
    for (const it of list) found[it.id] = { x: snap(left + width / 2), y: snap(it.y), column };
    left += width + GAP_X;
  });
  return found;
}
