//! Where the boxes and arrows of a picture go: columns, then places that make arrows straight.
//! Pure; the same graph gives the same picture.
//!
//! Invariant: boxes and labels of one column do not overlap.

use super::layers::{Kind, Layers, Vertex};
use super::shape::{Graph, Point, Size};

/// Space between two boxes of a column, two labels, and a piece of an arrow and its neighbours.
const BOX_GAP: f64 = 26.0;
const LABEL_GAP: f64 = 8.0;
const BEND_GAP: f64 = 12.0;
/// Space between two columns.
const COLUMN_GAP: f64 = 42.0;
/// Space between two arrows at one side of a box.
const PORT_GAP: f64 = 14.0;
/// Times places are improved, there and back.
const SWEEPS: usize = 24;
/// How much straighter a long arrow should be than a link between two boxes.
const BEND_WEIGHT: f64 = 4.0;
/// Boxes in a row of those without an arrow, at least.
const ROW_MIN: usize = 4;

/// An arrow's way: straight between the points of a pair, a curve from pair to pair.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Route {
    /// From the arrow's tail to its head; empty for an arrow from a box to itself.
    pub(super) points: Vec<Point>,
    /// The middle of its label.
    pub(super) label: Point,
}

/// A picture that begins at 0, 0.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) size: Size,
    /// Top left corners.
    pub(super) nodes: Vec<Point>,
    pub(super) routes: Vec<Route>,
}

impl Layout {
    pub(super) fn of(graph: &Graph) -> Self {
        let layers = Layers::of(graph);
        let middles = middles(&layers);
        let columns = Columns::of(&layers);
        let mut layout = Self {
            size: Size {
                width: columns.end,
                height: 0.0,
            },
            nodes: vec![Point::default(); graph.nodes.len()],
            routes: vec![Route::default(); graph.wires.len()],
        };
        let mut placed = vec![false; graph.nodes.len()];
        for (vertex, y) in layers.vertices.iter().zip(&middles) {
            let Kind::Node(node) = vertex.kind else {
                continue;
            };
            placed[node] = true;
            layout.nodes[node] = Point {
                x: columns.left(vertex),
                y: y - vertex.size.height / 2.0,
            };
            let bottom = y + vertex.size.height / 2.0;
            layout.size.height = layout.size.height.max(bottom);
        }
        for (vertex, y) in layers.vertices.iter().zip(&middles) {
            let bottom = y + vertex.size.height / 2.0;
            layout.size.height = layout.size.height.max(bottom);
        }
        layout.route(&layers, &middles, &columns);
        layout.line_up(graph, &placed);
        layout
    }

    fn route(&mut self, layers: &Layers, middles: &[f64], columns: &Columns) {
        for (wire, chain) in layers.chains.iter().enumerate() {
            let [first, between @ .., last] = &chain[..] else {
                continue;
            };
            let route = &mut self.routes[wire];
            let second = between.first().copied().unwrap_or(*last);
            let before = between.last().copied().unwrap_or(*first);
            route.points.push(Point {
                x: columns.left(&layers.vertices[*first]) + layers.vertices[*first].size.width,
                y: port(layers, middles, *first, second, Side::Right),
            });
            for vertex in between {
                let it = &layers.vertices[*vertex];
                let (x, width) = columns.span(it.column);
                let y = middles[*vertex];
                route.points.push(Point { x, y });
                route.points.push(Point { x: x + width, y });
                if matches!(it.kind, Kind::Label(_)) {
                    let x = x + width / 2.0;
                    route.label = Point { x, y };
                }
            }
            route.points.push(Point {
                x: columns.left(&layers.vertices[*last]),
                y: port(layers, middles, *last, before, Side::Left),
            });
            if layers.turned[wire] {
                route.points.reverse();
            }
        }
    }

    /// Boxes without an arrow, in rows below everything else.
    fn line_up(&mut self, graph: &Graph, placed: &[bool]) {
        let loose: Vec<usize> = (0..placed.len()).filter(|it| !placed[*it]).collect();
        let widest = loose.iter().map(|it| graph.nodes[*it].width);
        let widest = widest.fold(0.0, f64::max) + BOX_GAP;
        let fitting = (self.size.width / widest) as usize;
        let mut top = match self.size.height {
            0.0 => 0.0,
            height => height + 2.0 * BOX_GAP,
        };
        for row in loose.chunks(fitting.max(ROW_MIN)) {
            let mut bottom = top;
            for (place, node) in row.iter().enumerate() {
                let x = place as f64 * widest;
                self.nodes[*node] = Point { x, y: top };
                let size = graph.nodes[*node];
                bottom = bottom.max(top + size.height);
                self.size.width = self.size.width.max(x + size.width);
            }
            self.size.height = bottom;
            top = bottom + BOX_GAP;
        }
    }
}

/// Left edges and widths of the columns.
struct Columns {
    spans: Vec<(f64, f64)>,
    end: f64,
}

impl Columns {
    fn of(layers: &Layers) -> Self {
        let mut x = 0.0;
        let mut spans = Vec::with_capacity(layers.columns.len());
        for column in &layers.columns {
            let widths = column.iter().map(|it| layers.vertices[*it].size.width);
            let width = widths.fold(0.0, f64::max);
            spans.push((x, width));
            x += width + COLUMN_GAP;
        }
        Self {
            spans,
            end: (x - COLUMN_GAP).max(0.0),
        }
    }

    fn span(&self, column: usize) -> (f64, f64) {
        self.spans[column]
    }

    /// The left edge of a vertex in the middle of its column.
    fn left(&self, vertex: &Vertex) -> f64 {
        let (x, width) = self.spans[vertex.column];
        x + (width - vertex.size.width) / 2.0
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// Where the link to `other` meets `vertex`: links side by side, in the order of their far ends.
fn port(layers: &Layers, middles: &[f64], vertex: usize, other: usize, side: Side) -> f64 {
    let it = &layers.vertices[vertex];
    let links = match side {
        Side::Left => &it.left,
        Side::Right => &it.right,
    };
    let mut ends: Vec<usize> = links.clone();
    ends.sort_by(|a, b| middles[*a].total_cmp(&middles[*b]).then(a.cmp(b)));
    let place = ends.iter().position(|end| *end == other).unwrap_or(0);
    let room = (it.size.height - PORT_GAP).max(0.0);
    let gap = PORT_GAP.min(room / (ends.len().max(2) - 1) as f64);
    middles[vertex] + (place as f64 - (ends.len() - 1) as f64 / 2.0) * gap
}

/// The middle of every vertex, from the top: as near to its neighbours as its column allows.
fn middles(layers: &Layers) -> Vec<f64> {
    let mut middles = vec![0.0; layers.vertices.len()];
    for column in &layers.columns {
        let gaps = gaps(layers, column);
        let mut y = 0.0;
        for (vertex, gap) in column.iter().zip(gaps) {
            y += gap;
            middles[*vertex] = y;
        }
    }
    for sweep in 0..2 * SWEEPS {
        for step in 0..layers.columns.len() {
            let column = match sweep % 2 == 0 {
                true => step,
                false => layers.columns.len() - 1 - step,
            };
            place_column(layers, &layers.columns[column], &mut middles);
        }
    }
    let top = |(vertex, y): (&Vertex, &f64)| y - vertex.size.height / 2.0;
    let tops = layers.vertices.iter().zip(&middles).map(top);
    let highest = tops.fold(f64::INFINITY, f64::min);
    for y in &mut middles {
        *y -= highest;
    }
    middles
}

/// Distances between the middles of neighbours in a column; the first is 0.
fn gaps(layers: &Layers, column: &[usize]) -> Vec<f64> {
    let mut gaps = vec![0.0; column.len()];
    for (at, pair) in column.windows(2).enumerate() {
        let (above, below) = (&layers.vertices[pair[0]], &layers.vertices[pair[1]]);
        let between = match (above.kind, below.kind) {
            (Kind::Node(_), Kind::Node(_)) => BOX_GAP,
            (Kind::Label(_), Kind::Label(_)) => LABEL_GAP,
            _ => BEND_GAP,
        };
        gaps[at + 1] = (above.size.height + below.size.height) / 2.0 + between;
    }
    gaps
}

fn place_column(layers: &Layers, column: &[usize], middles: &mut [f64]) {
    let mut wishes = Vec::with_capacity(column.len());
    for vertex in column {
        let it = &layers.vertices[*vertex];
        let weight_of = |other: &usize| match (it.kind, layers.vertices[*other].kind) {
            (Kind::Node(_), _) | (_, Kind::Node(_)) => 1.0,
            _ => BEND_WEIGHT,
        };
        let (mut sum, mut weight) = (0.0, 0.0);
        for other in it.left.iter().chain(&it.right) {
            sum += middles[*other] * weight_of(other);
            weight += weight_of(other);
        }
        wishes.push((sum / weight, weight));
    }
    let placed = settle(&wishes, &gaps(layers, column));
    for (vertex, y) in column.iter().zip(placed) {
        middles[*vertex] = y;
    }
}

/// The places nearest to the wished ones, by the square of the distance and its weight, that keep
/// order and gaps: neighbours that would collide move as one block.
fn settle(wishes: &[(f64, f64)], gaps: &[f64]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(wishes.len());
    // Mean wish without the gaps, weight and number of members.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((wish, weight), gap) in wishes.iter().zip(gaps) {
        offset += gap;
        offsets.push(offset);
        let mut block = (wish - offset, *weight, 1);
        while let Some(above) = blocks.pop_if(|above| above.0 >= block.0) {
            let weight = above.1 + block.1;
            let mean = (above.0 * above.1 + block.0 * block.1) / weight;
            block = (mean, weight, above.2 + block.2);
        }
        blocks.push(block);
    }
    let flat = blocks
        .iter()
        .flat_map(|(mean, _, members)| std::iter::repeat_n(*mean, *members));
    flat.zip(offsets)
        .map(|(mean, offset)| mean + offset)
        .collect()
}
