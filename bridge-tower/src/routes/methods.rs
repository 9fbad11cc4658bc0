//! The methods that a route has handlers for, as a set of bits.
//!
//! Invariant: `HEAD` is in the set only where a handler of its own is; that `GET` answers `HEAD`
//! is a matter of [`Methods::answers`].

use std::fmt;

use crate::record::Verb;

/// All methods, in the order in which they are shown.
pub(super) const VERBS: [Verb; 10] = [
    Verb::Get,
    Verb::Head,
    Verb::Post,
    Verb::Put,
    Verb::Patch,
    Verb::Delete,
    Verb::Options,
    Verb::Connect,
    Verb::Trace,
    Verb::Other,
];

/// Bit of "every method that has no handler of its own".
const ANY: u16 = 1 << 15;

/// A set of methods.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Methods(u16);

impl Methods {
    /// No method at all.
    pub const NONE: Self = Self(0);
    /// Every method, as a route made with `any` or a nested service.
    pub const ANY: Self = Self(ANY);

    /// Adds one. [`Verb::Other`] has no handler anywhere and is left out.
    pub fn insert(&mut self, verb: Verb) {
        self.0 |= bit(verb);
    }

    /// Whether every method is answered, in addition to those that are listed.
    pub const fn is_any(self) -> bool {
        self.0 & ANY != 0
    }

    /// Whether nothing is answered.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `verb` has a handler of its own.
    pub fn contains(self, verb: Verb) -> bool {
        self.0 & bit(verb) != 0
    }

    /// The handler that a request with `verb` reaches. As in axum, the one for `GET` answers `HEAD`
    /// too.
    pub fn handler(self, verb: Verb) -> Option<Handler> {
        if self.contains(verb) {
            return Some(Handler::Of(verb));
        }
        if verb == Verb::Head && self.contains(Verb::Get) {
            return Some(Handler::Of(Verb::Get));
        }
        self.is_any().then_some(Handler::OfOthers)
    }

    /// Whether a request with `verb` reaches a handler.
    pub fn answers(self, verb: Verb) -> bool {
        self.handler(verb).is_some()
    }

    /// All handlers, the one for all other methods last.
    pub fn handlers(self) -> impl Iterator<Item = Handler> {
        let others = self.is_any().then_some(Handler::OfOthers);
        self.iter().map(Handler::Of).chain(others)
    }

    /// Takes a handler out.
    pub fn remove(&mut self, handler: Handler) {
        self.0 &= !match handler {
            Handler::Of(verb) => bit(verb),
            Handler::OfOthers => ANY,
        };
    }

    /// The methods with a handler of their own; [`Methods::is_any`] is told apart.
    pub fn iter(self) -> impl Iterator<Item = Verb> {
        VERBS.into_iter().filter(move |it| self.contains(*it))
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A handler of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Handler {
    /// The one for this method.
    Of(Verb),
    /// The one for every method that has none of its own.
    OfOthers,
}

impl Handler {
    /// The method's name, or `ANY`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Of(verb) => verb.as_str(),
            Self::OfOthers => "ANY",
        }
    }
}

/// Exhaustive on purpose: a new verb has to get a bit here and a place in [`VERBS`].
const fn bit(verb: Verb) -> u16 {
    match verb {
        Verb::Get => 1,
        Verb::Head => 1 << 1,
        Verb::Post => 1 << 2,
        Verb::Put => 1 << 3,
        Verb::Patch => 1 << 4,
        Verb::Delete => 1 << 5,
        Verb::Options => 1 << 6,
        Verb::Connect => 1 << 7,
        Verb::Trace => 1 << 8,
        Verb::Other => 0,
    }
}

impl FromIterator<Verb> for Methods {
    fn from_iter<I: IntoIterator<Item = Verb>>(verbs: I) -> Self {
        let mut methods = Self::NONE;
        for verb in verbs {
            methods.insert(verb);
        }
        methods
    }
}

/// `GET,POST`; `ANY` last; `-` for none.
impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.handlers().map(Handler::as_str).collect();
        f.pad(&if names.is_empty() {
            "-".to_owned()
        } else {
            names.join(",")
        })
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Methods({self})")
    }
}
