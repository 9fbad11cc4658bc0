//! What is declared, what is mounted and what is called, joined by method and final path.
//!
//! An annotation does not know where its handler will be nested, so a declared path that is mounted
//! nowhere as it stands is looked for at the end of the mounted ones; a route that somebody declares as
//! it stands is nobody else's. A declaration that fits several routes is mounted at each of them. It
//! refuses to guess where two declarations fit one route, and where `/` alone fits several: that is
//! reported with everybody who is meant.
//!
//! Invariant: each declaration is in exactly one of the sets, and a mounted handler that no
//! declaration may mean is in "mounted, not declared".

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::join::{Joiner, Place, shape_of};
use super::methods::{Handler, Methods, VERBS};
use super::table::RouteTable;
use crate::record::Verb;

/// Templates that a report names for one ambiguous declaration.
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

/// A declaration that is served; one that is mounted at several places is there once for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// What was declared.
    pub declared: Declared,
    /// The template it is served at.
    pub path: String,
    /// Whether that is the declared path; else it ends with it, and a nest adds the rest.
    pub is_exact: bool,
    /// Where it is the declared path: other templates that end with it and that nobody declares. A
    /// router that is mounted once as it is and once below a prefix has such.
    pub elsewhere: Vec<String>,
}

/// A declaration that is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What was declared.
    pub declared: Declared,
    /// The methods that are mounted at its path instead of its own, if any.
    pub mounted: Methods,
    /// Where nothing is: nested services inside of which it may be, as nobody can see into them.
    pub hidden_in: Vec<String>,
}

/// A declaration of which it cannot be told where it is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// What was declared.
    pub declared: Declared,
    /// The templates that it fits, all of them; reports name the first [`CANDIDATES_MAX`].
    pub candidates: Vec<String>,
    /// Why it cannot be told.
    pub doubt: Doubt,
}

/// Why it cannot be told where a declaration is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// It is `/`, the end of every path, and there are several that nobody else declares.
    Several,
    /// These others fit one of its routes, too.
    Shared(Vec<Declared>),
    /// It would be inside of a service whose own routes cannot be seen.
    Hidden,
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
    /// Something is declared that is not mounted, or of which it cannot be told where.
    #[default]
    Declared,
    /// That, or something is mounted that is not declared.
    Everything,
}

impl Audit {
    /// Compares `declared` with what `table` has mounted and, where someone counted, with what was
    /// `called`.
    pub fn of(declared: &[Declared], table: &RouteTable, called: Option<Called<'_>>) -> Self {
        let mut audit = Self::default();
        let mut joiner = Joiner::new(table);
        let (mut left, mut doubtful) = (Vec::new(), Vec::new());
        for group in groups(declared) {
            match joiner.exact(group.verb, &group.shape) {
                Some(place) => {
                    joiner.claim(place);
                    audit.exact(&joiner, place, group, &mut doubtful);
                }
                None => left.push(group),
            }
        }
        // The longest end is the surest.
        left.sort_by_key(|it| Reverse(it.shape.len()));
        for group in left {
            let places = joiner.ending(group.verb, &group.shape);
            audit.nested(&mut joiner, places, group, &mut doubtful);
        }
        audit.doubt(&joiner, &doubtful);
        for joined in audit
            .declared_and_mounted
            .iter_mut()
            .filter(|it| it.is_exact)
        {
            let Declared { verb, path, .. } = &joined.declared;
            let places = joiner.elsewhere(*verb, &shape_of(path));
            joined.elsewhere = places
                .into_iter()
                .map(|it| joiner.path(it).to_owned())
                .collect();
        }
        audit.sort();
        let unclaimed = joiner.unclaimed();
        audit.mounted_not_declared = unclaimed.map(Served::from).collect();
        audit.mounted_never_called = called.map(|called| never_called(table, called));
        audit
    }

    /// 0: as it should be; 1: it is not. For a build that is to fail on drift.
    pub fn exit_code(&self, strictness: Strictness) -> u8 {
        let is_whole = self.declared_not_mounted.is_empty() && self.ambiguous.is_empty();
        let is_all = self.mounted_not_declared.is_empty();
        u8::from(!is_whole || (strictness == Strictness::Everything && !is_all))
    }

    /// A declaration whose very path is mounted; several of them cannot all be.
    fn exact<'d>(
        &mut self,
        joiner: &Joiner<'_>,
        place: Place,
        group: Group<'d>,
        doubtful: &mut Vec<Doubtful<'d>>,
    ) {
        if let [declared] = &group.declared[..] {
            self.join(declared, joiner.path(place), true);
        } else {
            let places = vec![place];
            doubtful.push(Doubtful { group, places });
        }
    }

    /// A declaration of which only the end is mounted.
    fn nested<'d>(
        &mut self,
        joiner: &mut Joiner<'_>,
        places: Vec<Place>,
        group: Group<'d>,
        doubtful: &mut Vec<Doubtful<'d>>,
    ) {
        if places.is_empty() {
            return self.nowhere(joiner, &group);
        }
        let is_shared = doubtful.iter().any(|it| it.fits_one_of(&places));
        if let ([place], [declared], false) = (&places[..], &group.declared[..], is_shared) {
            joiner.claim(*place);
            return self.join(declared, joiner.path(*place), false);
        }
        for place in &places {
            joiner.may_claim(*place);
        }
        doubtful.push(Doubtful { group, places });
    }

    fn join(&mut self, declared: &Declared, path: &str, is_exact: bool) {
        self.declared_and_mounted.push(Joined {
            declared: declared.clone(),
            path: path.to_owned(),
            is_exact,
            elsewhere: Vec::new(),
        });
    }

    /// Declarations that no route fits that can be seen.
    fn nowhere(&mut self, joiner: &Joiner<'_>, group: &Group<'_>) {
        let declared = group.declared.iter().copied().cloned();
        let mounted = joiner.methods(&group.shape);
        let hidden = joiner.hidden(&group.shape);
        let hidden_in = match mounted.is_empty() {
            true => joiner.services(),
            false => Vec::new(),
        };
        match hidden.filter(|_| mounted.is_empty()) {
            Some(service) => self.ambiguous.extend(declared.map(|declared| Ambiguous {
                declared,
                candidates: vec![service.to_owned()],
                doubt: Doubt::Hidden,
            })),
            None => {
                self.declared_not_mounted
                    .extend(declared.map(|declared| Missing {
                        declared,
                        mounted,
                        hidden_in: hidden_in.clone(),
                    }));
            }
        }
    }

    /// Says of what is doubtful who else fits the same routes. What nobody else fits is mounted at
    /// each of them.
    fn doubt(&mut self, joiner: &Joiner<'_>, doubtful: &[Doubtful<'_>]) {
        for (index, it) in doubtful.iter().enumerate() {
            let others = doubtful.iter().enumerate();
            let others = others.filter(|(at, other)| *at != index && other.fits_one_of(&it.places));
            let others: Vec<_> = others.flat_map(|(_, it)| &it.group.declared).collect();
            let candidates: Vec<_> = it.places.iter().map(|it| joiner.path(*it)).collect();
            for (at, declared) in it.group.declared.iter().enumerate() {
                let alike = it.group.declared.iter().enumerate();
                let alike = alike.filter(|(other, _)| *other != at).map(|(_, it)| it);
                let with = alike.chain(others.iter().copied());
                let with: Vec<_> = with.map(|it| Declared::clone(it)).collect();
                if with.is_empty() && it.group.shape != "/" {
                    candidates
                        .iter()
                        .for_each(|path| self.join(declared, path, false));
                    continue;
                }
                self.ambiguous.push(Ambiguous {
                    declared: Declared::clone(declared),
                    candidates: candidates.iter().map(|it| (*it).to_owned()).collect(),
                    doubt: if with.is_empty() {
                        Doubt::Several
                    } else {
                        Doubt::Shared(with)
                    },
                });
            }
        }
    }

    fn sort(&mut self) {
        let order = Declared::cmp;
        let joined = &mut self.declared_and_mounted;
        joined.sort_by(|a, b| order(&a.declared, &b.declared).then_with(|| a.path.cmp(&b.path)));
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

/// A group of which it cannot be told which of the places it means.
struct Doubtful<'a> {
    group: Group<'a>,
    places: Vec<Place>,
}

impl Doubtful<'_> {
    fn fits_one_of(&self, places: &[Place]) -> bool {
        self.places.iter().any(|it| places.contains(it))
    }
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
