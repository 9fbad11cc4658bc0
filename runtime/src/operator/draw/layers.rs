//! Which column each box of a picture stands in, and in which order: left to right along the
//! arrows, few crossings. Pure; the same graph gives the same columns.
//!
//! An arrow that would close a ring is turned round for the layout. A box stands right of
//! everything that points to it. Between two columns of boxes is a column of labels, so that a
//! label never lies on anything.
//!
//! Invariant: two vertices that are linked stand in neighbouring columns.

use std::collections::BTreeMap;

use super::shape::{Graph, Size};

/// Times the columns are sorted there and back.
const SWEEPS: usize = 12;

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A box, by its index.
    Node(usize),
    /// The label of an arrow, by the arrow's index.
    Label(usize),
    /// A piece of an arrow that passes through.
    Bend,
}

#[derive(Clone, Debug)]
pub(super) struct Vertex {
    pub(super) kind: Kind,
    pub(super) column: usize,
    pub(super) size: Size,
    /// Vertices linked to it in the column on the left and on the right.
    pub(super) left: Vec<usize>,
    pub(super) right: Vec<usize>,
}

/// Vertices in columns.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) vertices: Vec<Vertex>,
    /// Top to bottom.
    pub(super) columns: Vec<Vec<usize>>,
    /// Per arrow: the vertices from its left end to its right end; empty for an arrow that is not
    /// laid out.
    pub(super) chains: Vec<Vec<usize>>,
    /// Per arrow: whether it points to the left.
    pub(super) turned: Vec<bool>,
}

impl Layers {
    /// Only boxes with an arrow to another one stand in a column.
    pub(super) fn of(graph: &Graph) -> Self {
        let sequence = sequence(graph);
        let turned: Vec<bool> = graph
            .wires
            .iter()
            .map(|it| sequence[it.from] > sequence[it.to])
            .collect();
        let columns = columns(graph, &sequence, &turned);
        let mut layers = Self {
            vertices: Vec::new(),
            columns: vec![Vec::new(); columns.values().max().map_or(0, |last| last + 1)],
            chains: vec![Vec::new(); graph.wires.len()],
            turned,
        };
        let mut of_node = BTreeMap::new();
        for (node, column) in &columns {
            let vertex = layers.stand(Kind::Node(*node), *column, graph.nodes[*node]);
            of_node.insert(*node, vertex);
        }
        for (at, wire) in graph.wires.iter().enumerate() {
            if wire.from == wire.to {
                continue;
            }
            let (left, right) = match layers.turned[at] {
                true => (wire.to, wire.from),
                false => (wire.from, wire.to),
            };
            layers.chain(at, of_node[&left], of_node[&right], wire.label);
        }
        layers.sort();
        layers
    }

    fn stand(&mut self, kind: Kind, column: usize, size: Size) -> usize {
        let vertex = self.vertices.len();
        self.vertices.push(Vertex {
            kind,
            column,
            size,
            left: Vec::new(),
            right: Vec::new(),
        });
        self.columns[column].push(vertex);
        vertex
    }

    /// Joins two boxes through every column between them, the label in the middle one.
    fn chain(&mut self, wire: usize, left: usize, right: usize, label: Size) {
        let (from, to) = (self.vertices[left].column, self.vertices[right].column);
        // Boxes stand in even columns, labels in odd ones.
        let middle = from + 1 + (to - from - 2) / 4 * 2;
        let mut chain = vec![left];
        for column in from + 1..to {
            let vertex = match column == middle {
                true => self.stand(Kind::Label(wire), column, label),
                false => self.stand(Kind::Bend, column, Size::default()),
            };
            chain.push(vertex);
        }
        chain.push(right);
        for pair in chain.windows(2) {
            self.vertices[pair[0]].right.push(pair[1]);
            self.vertices[pair[1]].left.push(pair[0]);
        }
        self.chains[wire] = chain;
    }

    /// Sorts every column by the mean place of its neighbours, and keeps the best order met.
    fn sort(&mut self) {
        let mut best = (self.crossings(), self.columns.clone());
        for sweep in 0..SWEEPS {
            let to_right = sweep % 2 == 0;
            for step in 1..self.columns.len() {
                let column = match to_right {
                    true => step,
                    false => self.columns.len() - 1 - step,
                };
                self.sort_column(column, to_right);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn sort_column(&mut self, column: usize, by_left: bool) {
        let beside = match by_left {
            true => column - 1,
            false => column + 1,
        };
        let places = self.places(beside);
        let mut keyed: Vec<(f64, usize)> = Vec::with_capacity(self.columns[column].len());
        for (at, vertex) in self.columns[column].iter().enumerate() {
            let it = &self.vertices[*vertex];
            let linked = if by_left { &it.left } else { &it.right };
            let sum: usize = linked.iter().map(|other| places[other]).sum();
            let mean = match linked.len() {
                0 => at as f64,
                count => sum as f64 / count as f64,
            };
            keyed.push((mean, *vertex));
        }
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.columns[column] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
    }

    fn places(&self, column: usize) -> BTreeMap<usize, usize> {
        let column = self.columns[column].iter().enumerate();
        column.map(|(place, vertex)| (*vertex, place)).collect()
    }

    /// How many links cross, over all columns.
    fn crossings(&self) -> usize {
        let pairs = self.columns.windows(2).enumerate();
        pairs
            .map(|(column, pair)| {
                let places = self.places(column + 1);
                let mut ends = Vec::new();
                for vertex in &pair[0] {
                    let mut below: Vec<usize> = self.vertices[*vertex]
                        .right
                        .iter()
                        .map(|other| places[other])
                        .collect();
                    below.sort_unstable();
                    ends.extend(below);
                }
                inversions(&ends, pair[1].len())
            })
            .sum()
    }
}

/// Pairs that are in the wrong order, with a tree of counts.
fn inversions(ends: &[usize], places: usize) -> usize {
    let mut tree = vec![0_usize; places + 1];
    let mut found = 0;
    for (seen, end) in ends.iter().enumerate() {
        let mut not_beyond = 0;
        let mut at = end + 1;
        while at > 0 {
            not_beyond += tree[at];
            at &= at - 1;
        }
        found += seen - not_beyond;
        let mut at = end + 1;
        while at <= places {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    found
}

/// The place of every box in a row along which few arrows point back (Eades, Lin, Smyth): sinks
/// go to the end, sources to the beginning, else whoever has most more arrows out than in.
fn sequence(graph: &Graph) -> Vec<usize> {
    let count = graph.nodes.len();
    let (mut front, mut back) = (Vec::new(), Vec::new());
    let mut left: Vec<usize> = (0..count).collect();
    while !left.is_empty() {
        let mut out = vec![0_i64; count];
        let mut into = vec![0_i64; count];
        let there: Vec<bool> = (0..count)
            .map(|it| left.binary_search(&it).is_ok())
            .collect();
        let wires = graph.wires.iter();
        for wire in wires.filter(|it| it.from != it.to && there[it.from] && there[it.to]) {
            out[wire.from] += 1;
            into[wire.to] += 1;
        }
        let sinks: Vec<usize> = left.iter().copied().filter(|it| out[*it] == 0).collect();
        let sources = left.iter().copied();
        let sources: Vec<usize> = sources
            .filter(|it| into[*it] == 0 && out[*it] > 0)
            .collect();
        if sinks.is_empty() && sources.is_empty() {
            let best = left.iter().copied();
            // The first of the best, because `max_by_key` takes the last.
            let best = best.rev().max_by_key(|it| out[*it] - into[*it]);
            let Some(best) = best else { break };
            front.push(best);
            left.retain(|it| *it != best);
            continue;
        }
        left.retain(|it| !sinks.contains(it) && !sources.contains(it));
        front.extend(sources);
        back.splice(0..0, sinks);
    }
    let mut places = vec![0; count];
    for (place, node) in front.into_iter().chain(back).enumerate() {
        places[node] = place;
    }
    places
}

/// The column of every box that has an arrow: twice the longest way to it. A source stands just
/// left of the first box it points to.
fn columns(graph: &Graph, sequence: &[usize], turned: &[bool]) -> BTreeMap<usize, usize> {
    let mut right_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut has_left = vec![false; graph.nodes.len()];
    for (wire, turned) in graph.wires.iter().zip(turned) {
        if wire.from == wire.to {
            continue;
        }
        let (left, right) = match turned {
            true => (wire.to, wire.from),
            false => (wire.from, wire.to),
        };
        right_of.entry(left).or_default().push(right);
        right_of.entry(right).or_default();
        has_left[right] = true;
    }
    let mut order: Vec<usize> = right_of.keys().copied().collect();
    order.sort_by_key(|it| sequence[*it]);
    let mut columns: BTreeMap<usize, usize> = order.iter().map(|it| (*it, 0)).collect();
    for node in &order {
        let next = columns[node] + 2;
        for right in &right_of[node] {
            let column = columns.entry(*right).or_default();
            *column = (*column).max(next);
        }
    }
    for node in order.iter().filter(|it| !has_left[**it]) {
        let nearest = right_of[node].iter().map(|it| columns[it]).min();
        columns.insert(*node, nearest.map_or(0, |it| it - 2));
    }
    columns
}
