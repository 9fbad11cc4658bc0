//! Routes as the source says them: which method and path lead to which handler.
//!
//! A router that is built in pieces is the sum of its pieces; what is not known of a path is said
//! to be missing, never made up.
//!
//! Invariant: joining two paths gives what axum's `nest` gives.

use std::collections::HashSet;

use super::source::{FileId, FunctionId};

/// Routes of one router that are kept.
const MOUNTS_MAX: usize = 20_000;
/// A handler of every method that has none of its own.
pub(super) const ANY: &str = "ANY";

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: FileId,
    pub(super) at: usize,
}

/// What answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Function(FunctionId),
    /// Nothing that can be annotated, and why.
    Other(&'static str),
}

/// One method of one route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mount {
    /// `POST`, or [`ANY`].
    pub(super) verb: String,
    /// What is known of the path: its end.
    pub(super) path: Option<String>,
    /// Nothing of what was nested around it so far is missing.
    pub(super) is_whole: bool,
    pub(super) target: Target,
    /// Where its handler is written.
    pub(super) place: Place,
}

/// Where a router is given routes that the source does not show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hidden {
    pub(super) place: Place,
    /// What is in their paths, as far as is known.
    pub(super) part: String,
}

/// What an expression is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Value {
    #[default]
    Unknown,
    Text(String),
    Router(Vec<Mount>),
    /// A `MethodRouter`: mounts without paths.
    Methods(Vec<Mount>),
}

impl Value {
    pub(super) fn router(&self) -> Option<&[Mount]> {
        match self {
            Self::Router(mounts) => Some(mounts),
            _ => None,
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Both routers, or the one that is there; of texts nothing is left.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Router(a), Self::Router(b)) => Self::Router(joined(a, b)),
            (Self::Methods(a), Self::Methods(b)) => Self::Methods(joined(a, b)),
            (router @ Self::Router(_), _) | (_, router @ Self::Router(_)) => router,
            (methods @ Self::Methods(_), _) | (_, methods @ Self::Methods(_)) => methods,
            _ => Self::Unknown,
        }
    }

    /// What may be one or the other.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) if a == b => Self::Text(a),
            (a, b) => a.and(b),
        }
    }

    /// The router with one more route.
    pub(super) fn route(self, path: Option<&str>, methods: Self) -> Self {
        let Self::Methods(methods) = methods else {
            return self.and(Self::Router(Vec::new()));
        };
        let path = path.map(str::to_owned);
        let mounts = methods.into_iter().map(|it| Mount {
            path: path.clone(),
            is_whole: path.is_some(),
            ..it
        });
        self.and(Self::Router(mounts.collect()))
    }

    /// The router with another one below `prefix`.
    pub(super) fn nest(self, prefix: Option<&str>, inner: Self) -> Self {
        let Self::Router(mut inner) = inner else {
            return self.and(Self::Router(Vec::new()));
        };
        for mount in &mut inner {
            match (prefix, &mount.path) {
                (Some(prefix), Some(path)) => mount.path = Some(nested(prefix, path)),
                _ => mount.is_whole = false,
            }
        }
        self.and(Self::Router(inner))
    }
}

fn joined(mut all: Vec<Mount>, more: Vec<Mount>) -> Vec<Mount> {
    let key = |it: &Mount| (it.place, it.verb.clone(), it.path.clone(), it.is_whole);
    let mut known: HashSet<_> = all.iter().map(key).collect();
    for mount in more {
        if all.len() < MOUNTS_MAX && known.insert(key(&mount)) {
            all.push(mount);
        }
    }
    all
}

/// The path of a route of a nested router.
fn nested(prefix: &str, path: &str) -> String {
    if prefix.ends_with('/') {
        format!("{prefix}{}", path.trim_start_matches('/'))
    } else if path == "/" {
        prefix.to_owned()
    } else {
        format!("{prefix}{path}")
    }
}
