//! The table of what a router has mounted: a dense number for each route.
//!
//! A nested service stands in a router under several patterns with private names. Here it is one
//! route, `/files/{*}`, because nobody outside can know what it serves.
//!
//! Invariant: routes are in the order of their paths, so two processes of one build number them
//! alike, and each pattern of the router belongs to exactly one of them.

use std::collections::{BTreeMap, HashMap};

use axum::Router;

use super::matcher::Matcher;
use super::methods::{Methods, VERBS};
use super::shape::{self, Pattern, Read, UnknownShape};
use crate::record::Verb;

/// How axum names the rest of a path that goes to a nested service.
const NEST_TAIL: &str = "/{*__private__axum_nest_tail_param}";

/// How axum names the rest of a path that goes to a fallback.
const FALLBACK_TAIL: &str = "/{*__private__axum_fallback}";

/// How a nested service's template ends. No pattern of a router can: axum wants a name there.
const NESTED_TAIL: &str = "/{*}";

/// A name under which no route can be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} names no route; write a method in capitals, a space and a path, as `GET /orders/{{id}}`"
)]
pub struct UnknownName {
    /// What was given.
    pub name: String,
}

/// What is mounted at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Handlers by method.
    Handlers,
    /// A service at this one path (`route_service`): it decides itself which methods it answers.
    Service,
    /// A service for everything below (`nest_service`): its own routes cannot be seen.
    Nested,
}

/// A route of a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// Template as axum's `MatchedPath` has it, `/orders/{id}`; `/files/{*}` for a nested service.
    pub path: Box<str>,
    /// Methods with a handler; [`Methods::ANY`] for a service.
    pub methods: Methods,
    /// What is mounted.
    pub endpoint: Endpoint,
}

/// The routes of a router, numbered from 0 in the order of their paths.
///
/// ```
/// use axum::{Router, routing::get};
/// use bridge_tower::routes::RouteTable;
///
/// let orders = Router::new().route("/{id}", get(|| async {}).post(|| async {}));
/// let app: Router = Router::new().nest("/orders", orders);
///
/// let table = RouteTable::of(&app).expect("axum 0.8 prints its routes");
/// let names: Vec<_> = table.names().collect();
/// assert_eq!(names, ["GET /orders/{id}", "POST /orders/{id}"]);
/// assert_eq!(table.matcher().find("/orders/7"), Some(0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    routes: Vec<Mounted>,
    fallbacks: Vec<Box<str>>,
    matcher: Matcher,
}

impl RouteTable {
    /// Reads the routes of `router`, whatever was nested in it, merged into it or laid around it.
    /// A router that still misses its state will do.
    ///
    /// # Errors
    ///
    /// [`UnknownShape`] when the router does not print itself as axum 0.8 does.
    pub fn of<S>(router: &Router<S>) -> Result<Self, UnknownShape> {
        let Read {
            patterns,
            fallbacks,
            is_default_fallback,
        } = shape::read(router)?;
        let mut table = Self::default();
        let mut numbered = Vec::with_capacity(patterns.len());
        for (route, behind) in grouped(patterns) {
            let number = u32::try_from(table.routes.len());
            let number = number.map_err(|_| UnknownShape::new("fewer routes", "more"))?;
            numbered.extend(behind.into_iter().map(|it| (it, number)));
            table.routes.push(route);
        }
        table.matcher = Matcher::new(numbered)?;
        table.fallbacks = scopes(&fallbacks, is_default_fallback);
        Ok(table)
    }

    /// The table of a router in another process, from the [`names`](Self::names) that it registered.
    /// Templates are taken as they are, also those of other frameworks, so its matcher finds
    /// nothing. What answers every method has no name and is missing.
    ///
    /// # Errors
    ///
    /// [`UnknownName`] for the first name without a known method or a path.
    pub fn from_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, UnknownName> {
        let mut mounted = BTreeMap::<&str, Methods>::new();
        for name in names {
            let (verb, path) = parsed(name).ok_or_else(|| UnknownName {
                name: name.to_owned(),
            })?;
            mounted.entry(path).or_default().insert(verb);
        }
        let route = |(path, methods): (&str, Methods)| Mounted {
            path: path.into(),
            methods,
            endpoint: Endpoint::Handlers,
        };
        Ok(Self {
            routes: mounted.into_iter().map(route).collect(),
            ..Self::default()
        })
    }

    /// Finds routes by path, as fast as axum does.
    pub fn matcher(&self) -> Matcher {
        self.matcher.clone()
    }

    /// The routes in the order of their numbers.
    pub fn routes(&self) -> &[Mounted] {
        &self.routes
    }

    /// The templates in the order of their numbers.
    pub fn templates(&self) -> impl ExactSizeIterator<Item = &str> {
        self.routes.iter().map(|it| &*it.path)
    }

    /// Where a fallback of the application's own answers: `/`, or the path a router with one was
    /// nested at.
    pub fn fallbacks(&self) -> impl ExactSizeIterator<Item = &str> {
        self.fallbacks.iter().map(|it| &**it)
    }

    /// The names under which the routes are registered, `GET /orders/{id}`: one for each method
    /// with a handler. What answers every method has no name, as the contract says, but for the
    /// methods that have a handler of their own beside it.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.routes.iter().flat_map(|route| {
            let methods = route.methods.iter();
            methods.map(|method| format!("{} {}", method.as_str(), route.path))
        })
    }
}

/// Method and template of a registered name.
fn parsed(name: &str) -> Option<(Verb, &str)> {
    let (method, path) = name.split_once(' ')?;
    let verb = VERBS.into_iter().find(|it| it.as_str() == method)?;
    let is_path = path.starts_with('/') && !path.chars().any(char::is_control);
    (is_path && verb != Verb::Other).then_some((verb, path))
}

/// One route for each pattern, with all patterns that lead to it. Those of a nested service are
/// one: `P/{*tail}`, `P` and `P/`.
fn grouped(patterns: Vec<Pattern>) -> Vec<(Mounted, Vec<String>)> {
    let prefixes = nested(&patterns);
    let mut groups = BTreeMap::<String, (Mounted, Vec<String>)>::new();
    for Pattern { path, methods } in patterns {
        let prefix = match methods {
            None => prefixes.get(&path),
            Some(_) => None,
        };
        let (template, endpoint) = match (prefix, methods) {
            (Some(prefix), _) => (format!("{prefix}{NESTED_TAIL}"), Endpoint::Nested),
            (None, Some(_)) => (path.clone(), Endpoint::Handlers),
            (None, None) => (path.clone(), Endpoint::Service),
        };
        let route = Mounted {
            path: template.as_str().into(),
            methods: methods.unwrap_or(Methods::ANY),
            endpoint,
        };
        let group = groups.entry(template).or_insert((route, Vec::new()));
        group.1.push(path);
    }
    groups.into_values().collect()
}

/// The patterns under which a nested service stands, each with the path it is nested at. Nesting
/// at `/a/` takes no `/a`; whatever service is mounted there prints like a part of it, and is
/// counted with it.
fn nested(patterns: &[Pattern]) -> HashMap<String, String> {
    let prefixes = patterns
        .iter()
        .filter_map(|it| it.path.strip_suffix(NEST_TAIL));
    let all = prefixes.flat_map(|prefix| {
        let behind = ["", "/", NEST_TAIL].map(|tail| format!("{prefix}{tail}"));
        behind.map(|pattern| (pattern, prefix.to_owned()))
    });
    all.collect()
}

/// The paths at which a fallback that is not axum's own begins.
fn scopes(fallbacks: &[Pattern], is_default: bool) -> Vec<Box<str>> {
    let scopes = fallbacks.iter().filter_map(|it| {
        let scope = it.path.strip_suffix(FALLBACK_TAIL)?;
        Some(if scope.is_empty() { "/" } else { scope })
    });
    let own = scopes.filter(|it| !(is_default && *it == "/"));
    let mut own: Vec<_> = own.map(Box::from).collect();
    own.sort_unstable();
    own
}
