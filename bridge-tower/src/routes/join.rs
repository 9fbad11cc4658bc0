//! Finds the place of a declared path among the mounted ones.
//!
//! Parameters' names do not matter: `/orders/{id}` is mounted where `/orders/{order}` is declared.
//!
//! Invariant: a handler that was claimed for sure is not offered to a path of which only the end is
//! known; one that may be claimed is, so that everybody who may mean it is known.

use super::methods::{Handler, Methods};
use super::table::{Endpoint, RouteTable};
use crate::record::Verb;

/// A handler of a mounted route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    route: usize,
    handler: Handler,
}

/// The mounted routes while declarations look for their places.
#[derive(Debug)]
pub(super) struct Joiner<'a> {
    table: &'a RouteTable,
    shapes: Vec<String>,
    /// The handlers of each route that no declaration means for sure.
    open: Vec<Methods>,
    /// Those that no declaration may mean.
    left: Vec<Methods>,
}

impl<'a> Joiner<'a> {
    pub(super) fn new(table: &'a RouteTable) -> Self {
        let open: Vec<_> = table.routes().iter().map(|it| it.methods).collect();
        Self {
            table,
            shapes: table.templates().map(shape_of).collect(),
            left: open.clone(),
            open,
        }
    }

    /// Where this very path is mounted with this method.
    pub(super) fn exact(&self, verb: Verb, shape: &str) -> Option<Place> {
        let route = self.visible(shape)?;
        let handler = self.table.routes()[route].methods.handler(verb)?;
        Some(Place { route, handler })
    }

    /// Where it may be mounted below a prefix.
    pub(super) fn ending(&self, verb: Verb, shape: &str) -> Vec<Place> {
        self.fitting(&self.open, verb, shape)
    }

    /// What ends with a path that is mounted as it stands, and nobody means. `/` is no end to look for.
    pub(super) fn elsewhere(&self, verb: Verb, shape: &str) -> Vec<Place> {
        if shape == "/" {
            return Vec::new();
        }
        self.fitting(&self.left, verb, shape)
    }

    fn fitting(&self, handlers: &[Methods], verb: Verb, shape: &str) -> Vec<Place> {
        let routes = self.shapes.iter().zip(handlers).enumerate();
        let fitting = routes.filter(|(route, (mounted, _))| {
            let is_nested = self.table.routes()[*route].endpoint == Endpoint::Nested;
            !is_nested && is_end(shape, mounted)
        });
        let answering = fitting.filter_map(|(route, (_, handlers))| {
            let handler = handlers.handler(verb)?;
            Some(Place { route, handler })
        });
        answering.collect()
    }

    /// The methods that are mounted at this path.
    pub(super) fn methods(&self, shape: &str) -> Methods {
        let route = self.visible(shape);
        route.map_or(Methods::NONE, |it| self.table.routes()[it].methods)
    }

    /// The nested service that this path would be inside of.
    pub(super) fn hidden(&self, shape: &str) -> Option<&'a str> {
        let routes = self.table.routes().iter().zip(&self.shapes);
        let mut nested = routes.filter(|(route, mounted)| {
            let prefix = mounted.strip_suffix("/{*}");
            let below = prefix.and_then(|it| shape.strip_prefix(it));
            let is_below = below.is_some_and(|it| it.is_empty() || it.starts_with('/'));
            route.endpoint == Endpoint::Nested && is_below
        });
        nested.next().map(|(route, _)| &*route.path)
    }

    /// All services whose own routes cannot be seen.
    pub(super) fn services(&self) -> Vec<String> {
        let routes = self.table.routes().iter();
        let nested = routes.filter(|it| it.endpoint == Endpoint::Nested);
        nested.map(|it| it.path.to_string()).collect()
    }

    pub(super) fn path(&self, place: Place) -> &'a str {
        &self.table.routes()[place.route].path
    }

    /// Somebody means it, and nobody else does.
    pub(super) fn claim(&mut self, place: Place) {
        self.open[place.route].remove(place.handler);
        self.left[place.route].remove(place.handler);
    }

    /// Somebody may mean it.
    pub(super) fn may_claim(&mut self, place: Place) {
        self.left[place.route].remove(place.handler);
    }

    /// What nobody means.
    pub(super) fn unclaimed(&self) -> impl Iterator<Item = (&'a str, Handler)> {
        let routes = self.table.templates().zip(&self.left);
        routes.flat_map(|(path, left)| left.handlers().map(move |it| (path, it)))
    }

    /// The route with this shape, unless it is a nested service whose own paths are not known.
    fn visible(&self, shape: &str) -> Option<usize> {
        let mut routes = self.table.routes().iter().zip(&self.shapes);
        routes.position(|(route, it)| route.endpoint != Endpoint::Nested && it == shape)
    }
}

/// Whether nesting can make `mounted` of a path with this shape. A router's `/` is mounted at the
/// prefix itself, whatever that is.
fn is_end(shape: &str, mounted: &str) -> bool {
    shape == "/" || (shape.starts_with('/') && mounted.ends_with(shape))
}

/// A template without the names of its parameters: `/orders/{}`, `/files/{*}`.
pub(super) fn shape_of(template: &str) -> String {
    let mut shape = String::with_capacity(template.len());
    let mut left = template;
    while let Some(at) = left.find('{') {
        let (before, parameter) = left.split_at(at);
        shape.push_str(before);
        // A doubled brace means itself.
        if let Some(rest) = parameter.strip_prefix("{{") {
            shape.push_str("{{");
            left = rest;
            continue;
        }
        let Some((name, rest)) = parameter.split_once('}') else {
            left = parameter;
            break;
        };
        shape.push_str(if name.starts_with("{*") { "{*}" } else { "{}" });
        left = rest;
    }
    shape + left
}
