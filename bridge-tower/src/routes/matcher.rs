//! Which route a path takes, with the answer that axum gives.
//!
//! A tree of patterns, as axum's own, but one that only says which route it is: the parameters'
//! values are axum's business and would be most of the work. A literal goes before a parameter;
//! where it leads nowhere, the parameter is tried.
//!
//! It refuses patterns that axum 0.8 would refuse.
//!
//! Invariant: for every path it answers the route whose handler or service axum calls, and none
//! where axum calls a fallback. It allocates nothing and visits each node at most once.

use std::sync::Arc;

use super::shape::UnknownShape;

/// No node, or no route.
const NONE: u32 = u32::MAX;

const ROOT: usize = 0;

/// Finds the route of a path. A clone shares the tree.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    nodes: Arc<[Node]>,
}

/// A place in a pattern.
#[derive(Clone, Debug)]
struct Node {
    /// What a path has to begin with here.
    literal: Box<[u8]>,
    /// First bytes of the children that go on with a literal, in the order of `children`.
    firsts: Vec<u8>,
    children: Vec<u32>,
    /// The route of a pattern that ends here.
    route: u32,
    /// The node behind a parameter that begins here; its literal is the rest of the pattern.
    param: u32,
    /// The route of a pattern that ends with that parameter.
    param_route: u32,
    /// The route of a pattern that takes all that is left.
    rest_route: u32,
}

impl Node {
    fn new(literal: &[u8]) -> Self {
        Self {
            literal: literal.into(),
            firsts: Vec::new(),
            children: Vec::new(),
            route: NONE,
            param: NONE,
            param_route: NONE,
            rest_route: NONE,
        }
    }

    fn child(&self, first: u8) -> Option<u32> {
        let at = self.firsts.iter().position(|it| *it == first)?;
        self.children.get(at).copied()
    }

    fn has_wildcard(&self) -> bool {
        (self.param & self.param_route & self.rest_route) != NONE
    }
}

impl Matcher {
    /// A matcher of these patterns.
    ///
    /// # Errors
    ///
    /// [`UnknownShape`] names a pattern that axum 0.8 does not know.
    pub(crate) fn new(
        patterns: impl IntoIterator<Item = (String, u32)>,
    ) -> Result<Self, UnknownShape> {
        let mut nodes = vec![Node::new(b"")];
        for (pattern, route) in patterns {
            insert(&mut nodes, &pattern, route)
                .ok_or_else(|| UnknownShape::new("a pattern of axum 0.8", pattern))?;
        }
        shorten(&mut nodes);
        Ok(Self {
            nodes: nodes.into(),
        })
    }

    /// The number of the route that a request for `path` takes, the path as sent and without its
    /// query. `None`: a fallback answers.
    pub fn find(&self, path: &str) -> Option<u32> {
        let root = self.nodes.first()?;
        let route = self.below(root, path.as_bytes());
        (route != NONE).then_some(route)
    }

    /// The route that `path` takes from `node` on.
    fn below<'a>(&'a self, mut node: &'a Node, mut path: &[u8]) -> u32 {
        loop {
            let Some(rest) = path.strip_prefix(&*node.literal) else {
                return NONE;
            };
            let Some(first) = rest.first() else {
                return node.route;
            };
            if let Some(child) = node.child(*first) {
                let child = &self.nodes[child as usize];
                if !node.has_wildcard() {
                    (node, path) = (child, rest);
                    continue;
                }
                let route = self.below(child, rest);
                if route != NONE {
                    return route;
                }
            }
            if node.rest_route != NONE {
                return node.rest_route;
            }
            let Some(end) = rest.iter().position(|it| *it == b'/') else {
                return node.param_route;
            };
            if node.param == NONE {
                return NONE;
            }
            (node, path) = (&self.nodes[node.param as usize], &rest[end..]);
        }
    }
}

/// A piece of a pattern.
enum Piece {
    Literal(Vec<u8>),
    /// `{id}`
    Param,
    /// `{*rest}`
    Rest,
}

/// Puts a pattern into the tree; `None` when it is none.
fn insert(nodes: &mut Vec<Node>, pattern: &str, route: u32) -> Option<()> {
    let mut at = ROOT;
    let mut left = pattern;
    while !left.is_empty() {
        let (piece, rest) = piece(left)?;
        left = rest;
        match piece {
            Piece::Literal(literal) => at = literal_below(nodes, at, &literal)?,
            Piece::Rest if rest.is_empty() => {
                nodes[at].rest_route = route;
                return Some(());
            }
            Piece::Param if rest.is_empty() => {
                nodes[at].param_route = route;
                return Some(());
            }
            Piece::Param if rest.starts_with('/') => {
                if nodes[at].param == NONE {
                    nodes[at].param = add(nodes, Node::new(b""))?;
                }
                at = nodes[at].param as usize;
            }
            Piece::Param | Piece::Rest => return None,
        }
    }
    nodes[at].route = route;
    Some(())
}

/// The first piece of a pattern and what follows it. `{{` and `}}` are braces that mean
/// themselves.
fn piece(pattern: &str) -> Option<(Piece, &str)> {
    if pattern.starts_with('{') && !pattern.starts_with("{{") {
        let (name, rest) = pattern[1..].split_once('}')?;
        let (piece, name) = name
            .strip_prefix('*')
            .map_or((Piece::Param, name), |name| (Piece::Rest, name));
        let is_name = !name.is_empty() && !name.contains(['{', '*', '/']);
        return is_name.then_some((piece, rest));
    }
    let mut literal = Vec::new();
    let mut bytes = pattern.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if matches!(byte, b'{' | b'}') {
            let is_escaped = bytes.next_if(|(_, next)| *next == byte).is_some();
            if !is_escaped {
                return (byte == b'{').then(|| (Piece::Literal(literal), &pattern[at..]));
            }
        }
        literal.push(byte);
    }
    Some((Piece::Literal(literal), ""))
}

/// The node at the end of `literal` below `at`, made where there is none yet.
fn literal_below(nodes: &mut Vec<Node>, mut at: usize, mut literal: &[u8]) -> Option<usize> {
    while let Some(first) = literal.first() {
        let Some(child) = nodes[at].child(*first) else {
            let child = add(nodes, Node::new(literal))?;
            nodes[at].firsts.push(*first);
            nodes[at].children.push(child);
            return Some(child as usize);
        };
        at = child as usize;
        let known = &nodes[at].literal;
        let common = known
            .iter()
            .zip(literal)
            .take_while(|(a, b)| a == b)
            .count();
        if common < known.len() {
            fork(nodes, at, common)?;
        }
        literal = &literal[common..];
    }
    Some(at)
}

/// Cuts a node's literal in two: what hung under it now hangs under the second half.
fn fork(nodes: &mut Vec<Node>, at: usize, length: usize) -> Option<()> {
    let (head, tail) = nodes[at].literal.split_at(length);
    let (head, tail): (Box<[u8]>, Box<[u8]>) = (head.into(), tail.into());
    let first = *tail.first()?;
    let whole = std::mem::replace(&mut nodes[at], Node::new(&head));
    let child = Node {
        literal: tail,
        ..whole
    };
    let child = add(nodes, child)?;
    nodes[at].firsts.push(first);
    nodes[at].children.push(child);
    Some(())
}

/// Leads past nodes that only lead on. All that are left have a literal: comparing with an empty
/// one costs more than with a long one, because it has no address that could be read.
fn shorten(nodes: &mut [Node]) {
    for at in 0..nodes.len() {
        let next = nodes.get(nodes[at].param as usize).and_then(only_child);
        if let Some(next) = next {
            nodes[at].param = next;
        }
    }
    if let Some(first) = only_child(&nodes[ROOT]) {
        nodes.swap(ROOT, first as usize);
    }
}

/// The only way on from a node that is nothing else.
fn only_child(node: &Node) -> Option<u32> {
    let is_way = node.literal.is_empty() && node.route == NONE && !node.has_wildcard();
    match node.children[..] {
        [child] if is_way => Some(child),
        _ => None,
    }
}

fn add(nodes: &mut Vec<Node>, node: Node) -> Option<u32> {
    let number = u32::try_from(nodes.len()).ok().filter(|it| *it != NONE)?;
    nodes.push(node);
    Some(number)
}
