//! What is declared, what is mounted and what is called, joined by method and final path.
//!
//! An annotation does not know where its handler will be nested, so a declared path that is mounted
//! nowhere as it stands is looked for at the end of the mounted ones. It refuses to guess: two
//! places that would do are reported, not chosen from.
//!
//! Invariant: each declaration is in exactly one of the sets, and a mounted handler that no
//! declaration may mean is in "mounted, not declared".

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::join::{Joiner, Place, shape_of};
use super::methods::{Handler, Methods, VERBS};
use super::table::RouteTable;
use crate::record::Verb;

/// Templates that are named for one ambiguous declaration.
pub const CANDIDATES_MAX: usize = 8;

/// An operation that someone annotated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declared {
    /// Its path as annotated; the nests around it are not known there.
    pub path: String,
    /// Its method.
    pub verb: Verb,
    /// Its name.
    pub operation: String,
}

/// A declaration that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// What was declared.
    pub declared: Declared,
    /// The template it is served at.
    pub path: String,
    /// Whether that is the declared path; else it ends with it, and a nest adds the rest.
    pub is_exact: bool,
}

/// A declaration that is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What was declared.
    pub declared: Declared,
    /// The methods that are mounted at its path instead of its own, if any.
    pub mounted: Methods,
}

/// A declaration that fits several routes, or shares one with another declaration, or may be
/// hidden in a nested service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// What was declared.
    pub declared: Declared,
    /// The templates that it fits, at most [`CANDIDATES_MAX`].
    pub candidates: Vec<String>,
}

/// A handler of a mounted route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Served {
    /// The template.
    pub path: String,
    /// Which of its handlers.
    pub handler: Handler,
}

/// How many requests with a method a route had so far, by its number in the table.
pub type Called<'a> = &'a dyn Fn(u32, Verb) -> u64;

/// What an audit found. Its [`Display`](std::fmt::Display) is a report for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// Declared and mounted.
    pub declared_and_mounted: Vec<Joined>,
    /// Declared, not mounted.
    pub declared_not_mounted: Vec<Missing>,
    /// Declared, and it cannot be told where it is mounted.
    pub ambiguous: Vec<Ambiguous>,
    /// Mounted, not declared.
    pub mounted_not_declared: Vec<Served>,
    /// Mounted, never called; `None` when nobody counted.
    pub mounted_never_called: Option<Vec<Served>>,
}

/// What it takes to fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Something is declared that is not mounted.
    #[default]
    Declared,
    /// That, or something is mounted that is not declared, or anything is ambiguous.
    Everything,
}

impl Audit {
    /// Compares `declared` with what `table` has mounted and, where someone counted, with what was
    /// `called`.
    pub fn of(declared: &[Declared], table: &RouteTable, called: Option<Called<'_>>) -> Self {
        let mut audit = Self::default();
        let mut joiner = Joiner::new(table);
        let mut left = Vec::new();
        for group in groups(declared) {
            match joiner.exact(group.verb, &group.shape) {
                Some(place) => audit.settle(&mut joiner, &group, &[place], true),
                None => left.push(group),
            }
        }
        // The longest end is the surest.
        left.sort_by_key(|it| Reverse(it.shape.len()));
        for group in left {
            let places = joiner.ending(group.verb, &group.shape);
            audit.settle(&mut joiner, &group, &places, false);
        }
        audit.sort();
        let unclaimed = joiner.unclaimed();
        audit.mounted_not_declared = unclaimed.map(Served::from).collect();
        audit.mounted_never_called = called.map(|called| never_called(table, called));
        audit
    }

    /// 0: as it should be; 1: it is not. For a build that is to fail on drift.
    pub fn exit_code(&self, strictness: Strictness) -> u8 {
        let is_whole = self.declared_not_mounted.is_empty();
        let is_plain = self.mounted_not_declared.is_empty() && self.ambiguous.is_empty();
        u8::from(!is_whole || (strictness == Strictness::Everything && !is_plain))
    }

    /// Puts the declarations of one method and path where they belong, given the places they fit.
    fn settle(
        &mut self,
        joiner: &mut Joiner<'_>,
        group: &Group<'_>,
        places: &[Place],
        exact: bool,
    ) {
        for place in places {
            joiner.claim(*place);
        }
        let mut candidates: Vec<_> = places.iter().map(|it| joiner.path(*it)).collect();
        let mounted = joiner.methods(&group.shape);
        if candidates.is_empty() && mounted.is_empty() {
            candidates.extend(joiner.hidden(&group.shape));
        }
        let declared = group.declared.iter().copied().cloned();
        if candidates.is_empty() {
            let missing = declared.map(|declared| Missing { declared, mounted });
            self.declared_not_mounted.extend(missing);
        } else if let ([_], [path], [declared]) = (places, &candidates[..], &group.declared[..]) {
            self.declared_and_mounted.push(Joined {
                declared: Declared::clone(declared),
                path: (*path).to_owned(),
                is_exact: exact,
            });
        } else {
            let paths = candidates.into_iter().take(CANDIDATES_MAX);
            let candidates: Vec<_> = paths.map(str::to_owned).collect();
            self.ambiguous.extend(declared.map(|declared| Ambiguous {
                declared,
                candidates: candidates.clone(),
            }));
        }
    }

    fn sort(&mut self) {
        let order = Declared::cmp;
        let joined = &mut self.declared_and_mounted;
        joined.sort_by(|a, b| order(&a.declared, &b.declared));
        let missing = &mut self.declared_not_mounted;
        missing.sort_by(|a, b| order(&a.declared, &b.declared));
        let ambiguous = &mut self.ambiguous;
        ambiguous.sort_by(|a, b| order(&a.declared, &b.declared));
    }
}

impl From<(&str, Handler)> for Served {
    fn from((path, handler): (&str, Handler)) -> Self {
        Self {
            path: path.to_owned(),
            handler,
        }
    }
}

/// Declarations that cannot be told apart by method and path. One is as it should be.
struct Group<'a> {
    verb: Verb,
    shape: String,
    declared: Vec<&'a Declared>,
}

fn groups(declared: &[Declared]) -> impl Iterator<Item = Group<'_>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for it in declared {
        let key = (shape_of(&it.path), it.verb);
        groups.entry(key).or_default().push(it);
    }
    groups.into_iter().map(|((shape, verb), declared)| Group {
        verb,
        shape,
        declared,
    })
}

fn never_called(table: &RouteTable, called: Called<'_>) -> Vec<Served> {
    let mut never = Vec::new();
    for (number, route) in (0..).zip(table.routes()) {
        let mut left = route.methods;
        for verb in VERBS.into_iter().filter(|it| called(number, *it) > 0) {
            if let Some(handler) = route.methods.handler(verb) {
                left.remove(handler);
            }
        }
        never.extend(left.handlers().map(|it| Served::from((&*route.path, it))));
    }
    never
}
