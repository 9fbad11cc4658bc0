//! Who calls what: the names behind a breaking change.
//!
//! Reads the map of a runtime, what `bridge map -o json` prints. A service is known to serve an
//! accepted rpc by its contract hash, so a method of the same name in another service is never
//! taken for it.
//!
//! Invariant: a consumer is named once for each rpc or route, with all that is known of it. Routes
//! are the same when they differ in nothing but the names of their parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::model::Lock;
use crate::error::{Error, Fault};
use crate::http_path;

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
pub struct Consumer {
    /// Its name; empty for somebody outside.
    pub name: String,
    /// The service that it calls.
    pub target: String,
    /// Whether it declared the call at registration.
    pub declared: bool,
    /// Calls that were counted in the map's window.
    pub observed: u64,
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
    /// serves as it was accepted. Of what is not among them the map knows nothing: it was never
    /// deployed, or who serves it is away.
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

    /// Who calls methods of a kind and name, on services where they are `served` as wanted; `None`
    /// without such a service.
    fn callers(
        &self,
        kind: &str,
        is_named: impl Fn(&str) -> bool,
        served: impl Fn(&Method) -> bool,
    ) -> Option<Vec<Consumer>> {
        let is_it = |it: &Method| it.kind == kind && is_named(&it.name) && served(it);
        let serves = |it: &&Service| it.methods.iter().any(is_it);
        let targets: BTreeSet<&str> = self
            .services
            .iter()
            .filter(serves)
            .map(|it| it.name.as_str())
            .collect();
        if targets.is_empty() {
            return None;
        }
        let mut consumers = BTreeMap::new();
        for edge in &self.edges {
            let is_it = edge.kind == kind && is_named(&edge.method);
            if !is_it || !targets.contains(edge.to.as_str()) {
                continue;
            }
            let known = consumers
                .entry((&edge.from, &edge.to))
                .or_insert_with(|| Consumer {
                    name: edge.from.clone(),
                    target: edge.to.clone(),
                    declared: false,
                    observed: 0,
                });
            known.declared |= edge.declared;
            known.observed += edge.load.as_ref().map_or(0, |load| load.count);
        }
        Some(consumers.into_values().collect())
    }
}

/// A route whose parameters have no names: a contract writes `{name=shelves/*}` where a router
/// has `shelves/{id}`.
fn without_names(route: &str) -> String {
    let (method, template) = route.split_once(' ').unwrap_or(("", route));
    let path = http_path::parse(template);
    let path = path.map_or_else(|_| template.to_owned(), |it| it.text);
    format!("{method} {}", http_path::form(&path).0)
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
