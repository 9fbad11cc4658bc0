//! Layouts of small graphs that a person can check, and of large ones that must only be sound.

use crate::operator::draw::layout::{Layout, Route};
use crate::operator::draw::shape::{Graph, Point, Size, Wire};

const BOX: Size = Size {
    width: 100.0,
    height: 40.0,
};
const LABEL: Size = Size {
    width: 60.0,
    height: 14.0,
};

fn graph(nodes: usize, wires: &[(usize, usize)]) -> Graph {
    let wire = |(from, to): &(usize, usize)| Wire {
        from: *from,
        to: *to,
        label: LABEL,
    };
    Graph {
        nodes: vec![BOX; nodes],
        wires: wires.iter().map(wire).collect(),
    }
}

fn overlaps(a: (Point, Size), b: (Point, Size)) -> bool {
    let apart = |a: f64, a_size: f64, b: f64, b_size: f64| a + a_size <= b || b + b_size <= a;
    !apart(a.0.x, a.1.width, b.0.x, b.1.width) && !apart(a.0.y, a.1.height, b.0.y, b.1.height)
}

/// Everything in the picture that takes room.
fn rectangles(graph: &Graph, layout: &Layout) -> Vec<(Point, Size)> {
    let nodes = layout
        .nodes
        .iter()
        .copied()
        .zip(graph.nodes.iter().copied());
    let labels = layout.routes.iter().zip(&graph.wires);
    let labels = labels.filter(|(_, wire)| wire.from != wire.to);
    let labels = labels.map(|(route, wire)| {
        let corner = Point {
            x: route.label.x - wire.label.width / 2.0,
            y: route.label.y - wire.label.height / 2.0,
        };
        (corner, wire.label)
    });
    nodes.chain(labels).collect()
}

fn assert_sound(graph: &Graph) -> Layout {
    let layout = Layout::of(graph);
    let rectangles = rectangles(graph, &layout);
    for (at, one) in rectangles.iter().enumerate() {
        assert!(one.0.x >= -0.01 && one.0.y >= -0.01, "{one:?}");
        assert!(one.0.x + one.1.width <= layout.size.width + 0.01, "{one:?}");
        assert!(
            one.0.y + one.1.height <= layout.size.height + 0.01,
            "{one:?}"
        );
        for other in &rectangles[at + 1..] {
            assert!(!overlaps(*one, *other), "{one:?} {other:?}");
        }
    }
    for (route, wire) in layout.routes.iter().zip(&graph.wires) {
        let (from, to) = (layout.nodes[wire.from], layout.nodes[wire.to]);
        let ends = (route.points.first(), route.points.last());
        let (Some(tail), Some(head)) = ends else {
            assert_eq!(wire.from, wire.to, "an arrow without a way");
            continue;
        };
        for (end, corner) in [(tail, from), (head, to)] {
            let inside = end.y >= corner.y && end.y <= corner.y + BOX.height;
            let at_edge = end.x == corner.x || end.x == corner.x + BOX.width;
            assert!(inside && at_edge, "{end:?} {corner:?}");
        }
    }
    layout
}

#[test]
fn a_chain_goes_from_left_to_right_in_one_line() {
    let layout = assert_sound(&graph(3, &[(0, 1), (1, 2)]));
    let [a, b, c] = layout.nodes[..] else {
        panic!("three");
    };
    assert!(a.x < b.x && b.x < c.x);
    assert!((a.y - b.y).abs() < 0.5 && (b.y - c.y).abs() < 0.5);
}

#[test]
fn a_box_stands_right_of_everything_that_points_to_it() {
    let layout = assert_sound(&graph(4, &[(0, 1), (1, 2), (0, 2), (3, 2)]));
    assert!(layout.nodes[2].x > layout.nodes[1].x);
    // A source stands beside what it points to, not at the far left.
    assert_eq!(layout.nodes[3].x, layout.nodes[1].x);
}

#[test]
fn rings_and_arrows_to_oneself_are_drawn_too() {
    let layout = assert_sound(&graph(3, &[(0, 1), (1, 2), (2, 0), (1, 1), (1, 0)]));
    let back = |route: &Route| match &route.points[..] {
        [tail, .., head] => tail.x > head.x,
        _ => false,
    };
    let points_back: Vec<_> = layout.routes.iter().map(back).collect();
    // Both rings go through the arrow from 0 to 1.
    assert_eq!(points_back, [true, false, false, false, false]);
    assert!(layout.routes[3].points.is_empty());
}

#[test]
fn boxes_without_an_arrow_stand_in_rows_below() {
    let layout = assert_sound(&graph(9, &[(0, 1)]));
    let bottom = layout.nodes[0].y + BOX.height;
    assert!(layout.nodes[2..].iter().all(|it| it.y > bottom));
    assert_eq!(assert_sound(&graph(0, &[])).size, Size::default());
    assert_sound(&graph(1, &[]));
}

#[test]
fn a_crossing_that_can_be_avoided_is_avoided() {
    let layout = assert_sound(&graph(4, &[(0, 3), (1, 2)]));
    let above = |a: usize, b: usize| layout.nodes[a].y < layout.nodes[b].y;
    assert_eq!(above(0, 1), above(3, 2));
}

#[test]
fn many_boxes_do_not_overlap_and_come_out_the_same_again() {
    let mut random = fastrand::Rng::with_seed(3);
    for nodes in [2, 7, 60, 200] {
        let wires: Vec<_> = (0..nodes * 2)
            .map(|_| (random.usize(..nodes), random.usize(..nodes)))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let graph = graph(nodes, &wires);
        let (one, again) = (assert_sound(&graph), Layout::of(&graph));
        assert_eq!((one.nodes, one.routes), (again.nodes, again.routes));
    }
}
