//! The routes of the source meet those of the running program: which handler is mounted where.
//!
//! What is mounted is what the program says. The source says which handler a route was made with,
//! and, of its path, at least the end. Refuses to choose where two routes, or two handlers, end alike.
//!
//! Invariant: no two handlers are given the same method and path.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::mount::{ANY, Hidden, Mount, Place, Target};
use super::source::FunctionId;

/// Paths that are named for one handler.
const NAMED_MAX: usize = 4;
const EVERY_METHOD: &str =
    "answers every method, and an operation has one: mount it with `get`, `post` or the like";

const CONTESTED: &str = "may be mounted there, as may another that ends like it in the source";
const PATHLESS: &str = "its path is made while the program runs, or at a type that is not found: write \
                        `#[bridge::rpc]` at the handler by hand, with the path that is mounted";
const NOT_FOUND: &str = "no handler of this workspace was found for it: made by a macro or by another \
                         crate, or a service";
const HIDDEN: &str = "what is mounted here is not seen in the source: made by a macro, another crate or \
                      a value of a trait, or a service. Write `#[bridge::rpc]` at its handler by hand";

/// A method and a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Route {
    pub(super) path: String,
    pub(super) verb: String,
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.path)
    }
}

/// A handler and the route it is declared at.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    pub(super) function: FunctionId,
    pub(super) route: Route,
    /// Only the end of the path is in the source, and no other route that is free ends so.
    pub(super) is_by_end: bool,
    /// Where else it is mounted.
    pub(super) also: Vec<Route>,
}

/// A route without a declaration.
#[derive(Clone, Debug)]
pub(super) struct Left {
    /// `GET /health`; what is known of it, if it is not known to be mounted.
    pub(super) route: String,
    pub(super) place: Option<Place>,
    pub(super) reason: String,
}

/// Who answers what.
#[derive(Debug, Default)]
pub(super) struct Join {
    pub(super) proposals: Vec<Proposal>,
    pub(super) left: Vec<Left>,
    /// Every route that is mounted, as far as is known.
    pub(super) routes: BTreeSet<Route>,
}

/// Joins what the source builds with what is mounted. `composed` is the application as it is
/// served, `pieces` every route of any router, `hidden` where there may be more. Without `live` the
/// source is believed.
pub(super) fn join(
    composed: &[Mount],
    pieces: &[Mount],
    hidden: &[Hidden],
    live: Option<BTreeSet<Route>>,
) -> Join {
    let is_live = live.is_some();
    let routes = live.unwrap_or_else(|| {
        let whole = composed.iter().filter(|it| it.is_whole);
        whole.filter_map(route_of).collect()
    });
    let mut claims = Claims {
        routes: &routes,
        by: BTreeMap::new(),
        left: Vec::new(),
        contested: BTreeSet::new(),
        pathless: Vec::new(),
    };
    let (composed, pieces) = one_of_each(composed, pieces);
    let mut later = Vec::new();
    for mount in composed {
        match route_of(&mount).filter(|it| mount.is_whole && routes.contains(it)) {
            Some(route) => claims.claim(route, mount),
            None => later.push(mount),
        }
    }
    // What is mounted is settled; the same handler may be mounted otherwise under a condition.
    let settled = claims.settled();
    later.retain(|it| !settled.contains(&(it.place, it.verb.clone())));
    // What is served is somewhere; a piece may be nowhere.
    claims.by_ends(later, is_live);
    claims.by_ends(pieces, is_live);
    let Claims {
        by, left, pathless, ..
    } = claims;
    let mut join = Join {
        left,
        ..Join::default()
    };
    join.settle(by);
    join.rest(&routes, &pathless, hidden);
    join.routes = routes;
    join
}

/// The routes of the application; and of what it is not known to have, the longest piece.
fn one_of_each(composed: &[Mount], pieces: &[Mount]) -> (Vec<Mount>, Vec<Mount>) {
    let key = |it: &Mount| (it.place, it.verb.clone());
    let mut known: HashMap<_, Vec<Mount>> = HashMap::new();
    for mount in composed {
        known.entry(key(mount)).or_default().push(mount.clone());
    }
    let mut best: HashMap<_, Mount> = HashMap::new();
    for mount in pieces.iter().filter(|it| !known.contains_key(&key(it))) {
        let length = |it: &Mount| it.path.as_ref().map_or(0, String::len);
        let piece = Mount {
            is_whole: false,
            ..mount.clone()
        };
        let longest = best.entry(key(mount)).or_insert_with(|| piece.clone());
        if length(longest) < length(&piece) {
            *longest = piece;
        }
    }
    let sorted = |mut all: Vec<Mount>| {
        all.sort_by(|a, b| (a.place, &a.verb, &a.path).cmp(&(b.place, &b.verb, &b.path)));
        all
    };
    let known = known.into_values().flatten().collect();
    (sorted(known), sorted(best.into_values().collect()))
}

fn route_of(mount: &Mount) -> Option<Route> {
    Some(Route {
        path: mount.path.clone()?,
        verb: mount.verb.clone(),
    })
}

struct Claims<'r> {
    routes: &'r BTreeSet<Route>,
    by: BTreeMap<Route, Vec<Mount>>,
    left: Vec<Left>,
    /// Routes that several handlers may be mounted at, so that none of them gets it.
    contested: BTreeSet<Route>,
    /// Mounts of the running program that may be at any of its routes.
    pathless: Vec<Mount>,
}

impl Claims<'_> {
    fn claim(&mut self, route: Route, mount: Mount) {
        let by = self.by.entry(route).or_default();
        if !by
            .iter()
            .any(|it| it.target == mount.target && it.place == mount.place)
        {
            by.push(mount);
        }
    }

    fn settled(&self) -> BTreeSet<(Place, String)> {
        let mounts = self.by.values().flatten();
        mounts.map(|it| (it.place, it.verb.clone())).collect()
    }

    /// Finds routes by their ends, the longest first, since it is the surest. Mounts that end alike
    /// are looked at together: none of them comes before another.
    fn by_ends(&mut self, mounts: Vec<Mount>, is_live: bool) {
        let mut alike: BTreeMap<_, Vec<Mount>> = BTreeMap::new();
        for mount in mounts {
            let Some(end) = mount.path.clone() else {
                match is_live {
                    true => self.pathless.push(mount),
                    false => self.leave(&mount, PATHLESS.to_owned()),
                }
                continue;
            };
            let length = std::cmp::Reverse(end.len());
            let key = (length, end, mount.verb.clone(), mount.is_whole);
            alike.entry(key).or_default().push(mount);
        }
        for ((_, end, ..), mounts) in alike {
            self.by_end(&end, mounts, is_live);
        }
    }

    /// Finds the route that ends like these mounts, if there is only one that nobody has, and only
    /// one handler that may have it.
    fn by_end(&mut self, end: &str, mounts: Vec<Mount>, is_live: bool) {
        let fitting = self.fitting(end, &mounts[0]);
        let reason = match &fitting[..] {
            [only] => return self.only(only, mounts),
            [] if is_live => "the running program does not mount it".to_owned(),
            [] => "where it is mounted is not known".to_owned(),
            _ => {
                let named = fitting.iter().take(NAMED_MAX).map(ToString::to_string);
                let named: Vec<_> = named.collect();
                format!("may be any of {}", named.join(", "))
            }
        };
        for mount in mounts {
            self.leave(&mount, reason.clone());
        }
    }

    /// Routes that nobody has and that end like the mount.
    fn fitting(&self, end: &str, mount: &Mount) -> Vec<Route> {
        let is_free = |it: &&Route| {
            let is_end = !mount.is_whole && (end != "/" && it.path.ends_with(end));
            let is_end = is_end || it.path == end;
            it.verb == mount.verb && is_end && !self.by.contains_key(*it)
        };
        self.routes.iter().filter(is_free).cloned().collect()
    }

    /// The only route for these mounts: theirs if they mount one handler.
    fn only(&mut self, route: &Route, mounts: Vec<Mount>) {
        let is_other = |it: &Mount| it.target != mounts[0].target;
        let is_contested = self.contested.contains(route) || mounts.iter().any(is_other);
        for mount in mounts {
            if !is_contested {
                self.claim(route.clone(), mount);
                continue;
            }
            self.left.push(Left {
                route: route.to_string(),
                place: Some(mount.place),
                reason: CONTESTED.to_owned(),
            });
        }
        if is_contested {
            self.contested.insert(route.clone());
        }
    }

    fn leave(&mut self, mount: &Mount, reason: String) {
        let path = mount.path.as_deref().unwrap_or("…");
        let route = format!("{} …{}", mount.verb, path.trim_start_matches('…'));
        let reason = match mount.target {
            Target::Other(other) => format!("{other}; {reason}"),
            Target::Function(_) => reason,
        };
        self.left.push(Left {
            route,
            place: Some(mount.place),
            reason,
        });
    }
}

impl Join {
    /// One route for each handler: one that the source has whole, else the first in the source.
    fn settle(&mut self, by: BTreeMap<Route, Vec<Mount>>) {
        let mut handlers: BTreeMap<FunctionId, Vec<(bool, Place, Route)>> = BTreeMap::new();
        for (route, mounts) in by {
            let (mount, others) = (&mounts[0], &mounts[1..]);
            if others.iter().any(|it| it.target != mount.target) {
                self.leave(&route, mount, "the source mounts several handlers there");
                continue;
            }
            match mount.target {
                Target::Other(reason) => self.leave(&route, mount, reason),
                Target::Function(_) if route.verb == ANY => {
                    self.leave(&route, mount, EVERY_METHOD);
                }
                Target::Function(id) => {
                    let found = (!mount.is_whole, mount.place, route);
                    handlers.entry(id).or_default().push(found);
                }
            }
        }
        for (function, mut routes) in handlers {
            routes.sort();
            let mut routes = routes.into_iter();
            if let Some((is_by_end, _, route)) = routes.next() {
                self.proposals.push(Proposal {
                    function,
                    route,
                    is_by_end,
                    also: routes.map(|(_, _, route)| route).collect(),
                });
            }
        }
    }

    /// Routes that no handler was found for.
    fn rest(&mut self, routes: &BTreeSet<Route>, pathless: &[Mount], hidden: &[Hidden]) {
        for route in routes {
            let is_proposed = |it: &Proposal| it.route == *route || it.also.contains(route);
            let is_told = self.proposals.iter().any(is_proposed)
                || self.left.iter().any(|it| it.route == route.to_string());
            if is_told {
                continue;
            }
            let maybe = pathless.iter().filter(|it| it.verb == route.verb);
            let maybe: Vec<Place> = maybe.map(|it| it.place).collect();
            let behind = hidden.iter().filter(|it| route.path.contains(&it.part));
            let behind: Vec<Place> = behind.map(|it| it.place).collect();
            let (reason, places) = match (&maybe[..], &behind[..]) {
                ([], []) => (NOT_FOUND, maybe),
                ([], _) => (HIDDEN, behind),
                _ => (PATHLESS, maybe),
            };
            self.left.push(Left {
                route: route.to_string(),
                place: places.first().copied(),
                reason: match places.len() {
                    0 | 1 => reason.to_owned(),
                    more => format!("{reason} (here or at one of {} places more)", more - 1),
                },
            });
        }
    }

    fn leave(&mut self, route: &Route, mount: &Mount, reason: &str) {
        self.left.push(Left {
            route: route.to_string(),
            place: Some(mount.place),
            reason: reason.to_owned(),
        });
    }
}
