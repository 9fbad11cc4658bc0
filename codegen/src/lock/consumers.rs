//! Who calls what: the names behind a breaking change.
//!
//! Reads the map of a runtime, what `bridge map -o json` prints. A service is known to serve an
//! accepted rpc by the name of the method and its contract hash. The map has no packages: methods of
//! one name and hash are told apart by nothing but the service that serves them. Of a service that is
//! away the map has what others call of it and not what that was, so its callers are named with that.
//!
//! Invariant: a consumer is named once for each rpc or route, with all that is known of it. Routes
//! are the same when they differ in nothing but the names of their parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::model::Lock;
use super::writing::without_names;
use crate::error::{Error, Fault};

/// Bytes of a map that is read.
pub const MAP_BYTES_MAX: u64 = 64 << 20;

/// The part of a runtime's map that says who calls what.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ServiceMap {
    services: Vec<Service>,
    edges: Vec<Edge>,
}

#[derive(Clone, Debug, Deserialize)]
struct Service {
    name: String,
    #[serde(default)]
    methods: Vec<Method>,
}

#[derive(Clone, Debug, Deserialize)]
struct Method {
    kind: String,
    name: String,
    #[serde(default)]
    contract_hash: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Edge {
    from: String,
    to: String,
    kind: String,
    method: String,
    #[serde(default)]
    declared: bool,
    #[serde(default)]
    load: Option<Load>,
}

#[derive(Clone, Debug, Deserialize)]
struct Load {
    count: u64,
}

/// A service that calls an rpc or a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Consumer {
    /// Its name; empty for somebody outside.
    pub name: String,
    /// The service that it calls.
    pub target: String,
    /// Whether it declared the call at registration.
    pub declared: bool,
    /// Calls that were counted in the map's window.
    pub observed: u64,
    /// Whether the service that it calls is away, so that what it calls there is known by name only.
    pub away: bool,
}

impl ServiceMap {
    /// Reads a map from a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is no map.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let cannot = |error| Fault::new(path, format!("cannot read the map ({error})"));
        let size = std::fs::metadata(path).map_err(cannot)?.len();
        if size > MAP_BYTES_MAX {
            let message = format!("is larger than {MAP_BYTES_MAX} bytes: this is no map");
            return Err(Fault::new(path, message).into());
        }
        let text = std::fs::read_to_string(path).map_err(cannot)?;
        Self::parse(path, &text)
    }

    /// Reads the text of a map; `path` is the name to use in faults.
    ///
    /// # Errors
    ///
    /// When the text is not what `bridge map -o json` prints.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| {
            let message = format!("is no map ({error}): write one with `bridge map -o json`");
            Fault {
                position: u32::try_from(error.line())
                    .ok()
                    .zip(u32::try_from(error.column()).ok()),
                ..Fault::new(path, message)
            }
            .into()
        })
    }

    /// The consumers of each accepted rpc, HTTP form of one, and route that some service of the map
    /// serves as it was accepted, or that somebody calls of a service that is away. Of what is not
    /// among them the map knows nothing: it was never deployed, or nobody said that they call it.
    #[must_use]
    pub fn consumers(&self, accepted: &Lock) -> BTreeMap<String, Vec<Consumer>> {
        let mut found = BTreeMap::new();
        let mut add = |name: &str, callers: Option<Vec<Consumer>>| {
            found.extend(callers.map(|callers| (name.to_owned(), callers)));
        };
        for (name, rpc) in &accepted.rpcs {
            let method = name.rsplit_once('/').map_or(name.as_str(), |(_, it)| it);
            let has_hash = |it: &Method| it.contract_hash == rpc.hash;
            add(name, self.callers("rpc", |it| it == method, has_hash));
        }
        let forms = accepted.rpcs.values().flat_map(|rpc| rpc.http.keys());
        for name in accepted.routes.iter().flat_map(BTreeMap::keys).chain(forms) {
            let wanted = without_names(name);
            let is_it = |other: &str| without_names(other) == wanted;
            add(name, self.callers("http", is_it, |_| true));
        }
        found
    }

    /// Who calls methods of a kind and name, on services where they are `served` as wanted, or else
    /// on services that are away; `None` without either.
    fn callers(
        &self,
        kind: &str,
        is_named: impl Fn(&str) -> bool,
        served: impl Fn(&Method) -> bool,
    ) -> Option<Vec<Consumer>> {
        let is_it = |it: &Method| it.kind == kind && is_named(&it.name) && served(it);
        let serves = |it: &&Service| it.methods.iter().any(is_it);
        let services = self.services.iter().filter(serves);
        let targets: BTreeSet<&str> = services.map(|it| it.name.as_str()).collect();
        let edges = self.edges.iter();
        let edges = edges.filter(|it| it.kind == kind && is_named(&it.method));
        if !targets.is_empty() {
            let of_targets = edges.filter(|it| targets.contains(it.to.as_str()));
            return Some(joined(of_targets, false));
        }
        let of_away = joined(edges.filter(|it| self.is_away(&it.to)), true);
        (!of_away.is_empty()).then_some(of_away)
    }

    /// Whether nobody is there who says what the service serves.
    fn is_away(&self, service: &str) -> bool {
        let mut of_name = self.services.iter().filter(|it| it.name == service);
        of_name.all(|it| it.methods.is_empty())
    }
}

/// Each caller of a service once.
fn joined<'e>(edges: impl Iterator<Item = &'e Edge>, away: bool) -> Vec<Consumer> {
    let mut found = BTreeMap::new();
    for edge in edges {
        let known = found
            .entry((&edge.from, &edge.to))
            .or_insert_with(|| Consumer {
                name: edge.from.clone(),
                target: edge.to.clone(),
                declared: false,
                observed: 0,
                away,
            });
        known.declared |= edge.declared;
        known.observed += edge.load.as_ref().map_or(0, |load| load.count);
    }
    found.into_values().collect()
}

impl Consumer {
    /// Its name for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.name.is_empty() {
            "somebody outside"
        } else {
            &self.name
        }
    }
}
