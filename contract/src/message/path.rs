//! Where in a message something is: `items[3].labels["a"].sku`.
//!
//! A path lives on the stack of the walk that makes it, so that it costs nothing until it is shown.

use std::fmt;

/// One step, and the way to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'p> {
    before: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    Root,
    Field(&'static str),
    Index(usize),
    Key(&'p Key<'p>),
}

/// The key of a map entry. Ordered, so that entries can be put in one order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'k> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Text(&'k str),
}

impl<'p> Path<'p> {
    pub(super) const ROOT: Self = Self {
        before: None,
        step: Step::Root,
    };

    pub(super) fn field(&'p self, name: &'static str) -> Self {
        self.then(Step::Field(name))
    }

    pub(super) fn index(&'p self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    pub(super) fn key(&'p self, key: &'p Key<'p>) -> Self {
        self.then(Step::Key(key))
    }

    fn then(&'p self, step: Step<'p>) -> Self {
        Self {
            before: Some(self),
            step,
        }
    }

    pub(super) fn is_root(&self) -> bool {
        matches!(self.step, Step::Root)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(before) = self.before else {
            return Ok(());
        };
        before.fmt(f)?;
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) if before.is_root() => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key:?}]"),
        }
    }
}

/// As JSON writes the key of an object, without the quotes.
impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Uint(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}

/// The same, with quotes around text.
impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(value) => write!(f, "{value:?}"),
            key => fmt::Display::fmt(key, f),
        }
    }
}
