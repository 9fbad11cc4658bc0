//! Where an operation of an OpenAPI document is below its servers, and whom it lets in.
//!
//! Of a server counts the path: names of hosts are other ones in each place where a service runs. Of
//! a scheme counts what a request has to bring, not what the document calls it.
//!
//! Refuses a reference that stands for nothing in the document, and more than [`WAYS_MAX`] paths or
//! ways in. Invariant: what the document leaves to its defaults is the same as what it says of them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::canonical::{Unfit, resolved};

/// Paths of servers, and ways in, of one operation.
pub(super) const WAYS_MAX: usize = 1_000;

/// What a request has to bring to get in this way, with the scopes as `SCHEME:SCOPE`; nothing where
/// everybody gets in.
pub(super) type Way = BTreeSet<String>;

/// Where an operation is, and whom it lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Access {
    /// The paths that the operation's own is below; none where that is the root alone.
    pub servers: BTreeSet<String>,
    /// Ways in, each enough; none where everybody gets in.
    pub security: BTreeSet<BTreeSet<String>>,
}

impl Access {
    /// Reads what holds for an operation, of all that the document and the items around it say.
    pub(super) fn read(document: &Value, of: [&Value; 3]) -> Result<Self, Unfit> {
        let [referred, item, operation] = of;
        let levels = [operation, item, referred, document];
        let servers = levels.iter().find_map(|it| list(it, "servers"));
        let security = [operation, document];
        let security = security
            .iter()
            .find_map(|it| it.get("security")?.as_array());
        let mut found = Self::default();
        for server in servers.into_iter().flatten() {
            found.servers.extend(bases(server)?);
        }
        for way in security.into_iter().flatten().filter_map(Value::as_object) {
            found.security.insert(way_in(document, way)?);
        }
        if found.servers.len() > WAYS_MAX || found.security.len() > WAYS_MAX {
            return Err(Unfit::TooLarge);
        }
        if found.servers.iter().eq(["/"]) {
            found.servers.clear();
        }
        if found.security.iter().all(BTreeSet::is_empty) {
            found.security.clear();
        }
        Ok(found)
    }

    /// The paths that the operation's own is below.
    pub(super) fn below(&self) -> BTreeSet<String> {
        if self.servers.is_empty() {
            BTreeSet::from(["/".to_owned()])
        } else {
            self.servers.clone()
        }
    }

    /// The ways in.
    pub(super) fn ways(&self) -> BTreeSet<Way> {
        if self.security.is_empty() {
            BTreeSet::from([Way::new()])
        } else {
            self.security.clone()
        }
    }
}

/// A list that is not empty: an empty list of servers says as much as none.
fn list<'v>(of: &'v Value, key: &str) -> Option<&'v Vec<Value>> {
    of.get(key)?.as_array().filter(|it| !it.is_empty())
}

/// The paths of a server: one, or one for each choice of its variables.
fn bases(server: &Value) -> Result<BTreeSet<String>, Unfit> {
    let url = server.get("url").and_then(Value::as_str);
    let mut urls = BTreeSet::from([url.unwrap_or("/").to_owned()]);
    let variables = server.get("variables").and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        let placeholder = format!("{{{name}}}");
        let choices: Vec<_> = match list(variable, "enum") {
            Some(choices) => choices.iter().filter_map(Value::as_str).collect(),
            None => variable
                .get("default")
                .and_then(Value::as_str)
                .into_iter()
                .collect(),
        };
        if choices.is_empty() || !urls.iter().any(|it| it.contains(&placeholder)) {
            continue;
        }
        if urls.len() * choices.len() > WAYS_MAX {
            return Err(Unfit::TooLarge);
        }
        let with = |url: &String| -> Vec<_> {
            let all = choices.iter();
            all.map(|it| url.replace(&placeholder, it)).collect()
        };
        urls = urls.iter().flat_map(with).collect();
    }
    Ok(urls.iter().map(|it| path(it)).collect())
}

/// The path of a URL, absolute or relative, without a slash at its end.
fn path(url: &str) -> String {
    let path = match url.split_once("//") {
        Some((scheme, rest))
            if scheme.is_empty() || (scheme.ends_with(':') && !scheme.contains('/')) =>
        {
            rest.find('/').map_or("", |at| &rest[at..])
        }
        _ => url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path
        .strip_prefix('.')
        .filter(|it| it.starts_with('/'))
        .unwrap_or(path);
    format!("/{}", path.trim_matches('/'))
}

fn way_in(document: &Value, way: &Map<String, Value>) -> Result<Way, Unfit> {
    let schemes = document.pointer("/components/securitySchemes");
    let mut found = Way::new();
    for (name, scopes) in way {
        let kind = match schemes.and_then(|it| it.get(name)) {
            Some(scheme) => kind(resolved(document, scheme)?),
            None => format!("undeclared({name})"),
        };
        let scopes = scopes
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        found.extend(scopes.map(|it| format!("{kind}:{it}")));
        found.insert(kind);
    }
    Ok(found)
}

/// What a request has to bring for a scheme: `http(bearer)`, `apiKey(header:x-key)`, `oauth2`.
fn kind(scheme: &Value) -> String {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or("?");
    match text("type") {
        "http" => format!("http({})", text("scheme").to_ascii_lowercase()),
        "apiKey" => {
            let (place, name) = (text("in"), text("name"));
            let name = if place == "header" {
                name.to_ascii_lowercase()
            } else {
                name.to_owned()
            };
            format!("apiKey({place}:{name})")
        }
        other => other.to_owned(),
    }
}
