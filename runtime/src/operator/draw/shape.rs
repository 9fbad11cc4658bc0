//! Places, sizes, boxes and arrows of a picture.

/// A width and a height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A place; `y` grows downwards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// An arrow from box to box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Size,
}

/// What to lay out.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Size>,
    pub(super) wires: Vec<Wire>,
}
