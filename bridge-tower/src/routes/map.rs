//! The map of one application: what it serves, without a change to it.
//!
//! It never fails. A router that cannot be read gives an empty map that says why.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use axum::Router;
use serde_json::{Value, json};

use super::methods::Handler;
use super::table::{Endpoint, Mounted, RouteTable};

/// What an application serves. Its [`fmt::Display`] is a table for people.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RouteMap {
    /// Its routes in the order of their paths.
    pub routes: Vec<Mounted>,
    /// Where a fallback of its own answers: `/` or the path of a nest.
    pub fallbacks: Vec<String>,
    /// Why the routes could not be read, if they could not.
    pub degraded: Option<String>,
}

/// The map of `router`, whatever was nested in it, merged into it or laid around it.
///
/// ```
/// use axum::{Router, routing::get};
///
/// let app: Router = Router::new().route("/orders/{id}", get(|| async {}));
/// println!("{}", bridge_tower::routes::map(&app));
/// ```
pub fn map<S>(router: &Router<S>) -> RouteMap {
    match RouteTable::of(router) {
        Ok(table) => RouteMap::from(&table),
        Err(unknown) => RouteMap {
            degraded: Some(unknown.to_string()),
            ..RouteMap::default()
        },
    }
}

impl From<&RouteTable> for RouteMap {
    fn from(table: &RouteTable) -> Self {
        Self {
            routes: table.routes().to_vec(),
            fallbacks: table.fallbacks().map(str::to_owned).collect(),
            degraded: None,
        }
    }
}

impl RouteMap {
    /// The map as JSON: `routes` (`path`, `methods`, `endpoint`), `fallbacks` and `degraded`.
    pub fn to_json(&self) -> String {
        let routes = self.routes.iter().map(|route| {
            json!({
                "path": route.path,
                "methods": route.methods.handlers().map(Handler::as_str).collect::<Value>(),
                "endpoint": match route.endpoint {
                    Endpoint::Handlers => "handlers",
                    Endpoint::Service => "service",
                    Endpoint::Nested => "nested",
                },
            })
        });
        let json = json!({
            "routes": routes.collect::<Value>(),
            "fallbacks": self.fallbacks,
            "degraded": self.degraded,
        });
        json.to_string()
    }

    /// The map as a Mermaid flowchart: routes under the first segment of their paths.
    pub fn to_mermaid(&self) -> String {
        let mut chart = String::from("flowchart LR\n  app([application])\n");
        let mut areas = BTreeMap::<&str, Vec<(usize, &Mounted)>>::new();
        for (number, route) in self.routes.iter().enumerate() {
            areas
                .entry(area(&route.path))
                .or_default()
                .push((number, route));
        }
        for (number, (area, routes)) in areas.into_iter().enumerate() {
            let _ = writeln!(chart, "  app --> a{number}[{}]", label(area));
            for (route_number, route) in routes {
                let text = label(&format!("{} {}", route.methods, route.path));
                let [open, close] = match route.endpoint {
                    Endpoint::Handlers => ["[", "]"],
                    Endpoint::Service | Endpoint::Nested => ["[[", "]]"],
                };
                let _ = writeln!(chart, "  a{number} --> r{route_number}{open}{text}{close}");
            }
        }
        for (number, fallback) in self.fallbacks.iter().enumerate() {
            let text = label(&format!("fallback {fallback}"));
            let _ = writeln!(chart, "  app -.-> f{number}[{text}]");
        }
        chart
    }
}

/// The first segment of a path, with its slash.
fn area(path: &str) -> &str {
    let below = path.get(1..).and_then(|it| it.find('/'));
    below.map_or(path, |at| &path[..=at])
}

/// A text in quotes, with what Mermaid would read as its own replaced.
fn label(text: &str) -> String {
    let text = text.replace('#', "#35;").replace('"', "#quot;");
    let text = text.replace('<', "#lt;").replace('>', "#gt;");
    format!("\"{}\"", text.replace(char::is_control, " "))
}

impl fmt::Display for RouteMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = &self.degraded {
            return writeln!(f, "the router's routes cannot be read: {reason}");
        }
        let widths = self.routes.iter().map(|it| it.methods.to_string().len());
        let width = widths.chain(["FALLBACK".len()]).max().unwrap_or_default();
        writeln!(f, "{:<width$}  PATH", "METHODS")?;
        for route in &self.routes {
            let note = match route.endpoint {
                Endpoint::Handlers => "",
                Endpoint::Service => "  (a service)",
                Endpoint::Nested => "  (a nested service: its own routes cannot be seen)",
            };
            writeln!(f, "{:<width$}  {}{note}", route.methods, route.path)?;
        }
        for fallback in &self.fallbacks {
            writeln!(f, "{:<width$}  {fallback}", "FALLBACK")?;
        }
        Ok(())
    }
}
