//! The map: what is registered, joined with what goes on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::{MapEdge, MapService, ServiceMap};

/// How often, how well and how fast, in a window of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Operations that ended.
    pub count: u64,
    /// Of them, those that failed, ran out of time or were abandoned.
    pub errors: u64,
    /// Operations a second.
    pub per_second: f64,
    /// Milliseconds that half of them took at most. Percentiles are exact to half an octave.
    pub p50_ms: f64,
    /// Milliseconds that 95 of 100 took at most.
    pub p95_ms: f64,
    /// Milliseconds that 99 of 100 took at most.
    pub p99_ms: f64,
}

impl Load {
    /// Failed ones of a hundred.
    pub fn error_percent(&self) -> f64 {
        match self.count {
            0 => 0.0,
            count => self.errors as f64 * 100.0 / count as f64,
        }
    }
}

/// Services and calls, with what went on in a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiveMap {
    /// The time that was counted; less than was asked for while the runtime is younger.
    pub window_ms: u64,
    /// By name.
    pub services: Vec<LiveService>,
    /// Every declared or observed method that is called, by caller, target, kind and method.
    pub edges: Vec<LiveEdge>,
    /// The edges of each pair of services together, by caller and target.
    pub links: Vec<Link>,
    /// Operations that were too many to tell apart.
    pub uncounted: u64,
}

/// A service and what it served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiveService {
    /// What is registered.
    #[serde(flatten)]
    pub service: MapService,
    /// Calls and requests it answered; absent when there were none.
    pub served: Option<Load>,
}

/// A method that is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiveEdge {
    /// Caller, target and method. The caller is empty when it is not known: somebody outside.
    #[serde(flatten)]
    pub edge: MapEdge,
    /// Whether the caller said at registration that it calls this.
    pub declared: bool,
    /// Absent when it was not called in the window.
    pub load: Option<Load>,
}

/// One service calling another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Name of the caller; empty when it is not known: somebody outside.
    pub from: String,
    /// Name of the target.
    pub to: String,
    /// Methods, as `kind name`.
    pub methods: Vec<String>,
    /// Whether something of it was declared.
    pub declared: bool,
    /// Whether everything that was declared can be called now.
    pub live: bool,
    /// All of it together; absent when there was no call in the window.
    pub load: Option<Load>,
}

impl LiveMap {
    /// What is registered and declared, without anything going on.
    pub fn without_traffic(self) -> Self {
        let declared = self.edges.into_iter().filter(|it| it.declared);
        ServiceMap {
            services: self.services.into_iter().map(|it| it.service).collect(),
            edges: declared.map(|it| it.edge).collect(),
        }
        .into()
    }
}

impl From<ServiceMap> for LiveMap {
    /// Without anything going on.
    fn from(map: ServiceMap) -> Self {
        let service = |service| LiveService {
            service,
            served: None,
        };
        let edge = |edge| LiveEdge {
            edge,
            declared: true,
            load: None,
        };
        let edges: Vec<_> = map.edges.into_iter().map(edge).collect();
        Self {
            window_ms: 0,
            services: map.services.into_iter().map(service).collect(),
            links: links(&edges),
            edges,
            uncounted: 0,
        }
    }
}

/// The pairs of services in `edges`, which are sorted by caller and target; without loads.
pub(in crate::operator) fn links(edges: &[LiveEdge]) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    for LiveEdge { edge, declared, .. } in edges {
        let same = |it: &Link| it.from == edge.from && it.to == edge.to;
        if !links.last().is_some_and(same) {
            links.push(Link {
                from: edge.from.clone(),
                to: edge.to.clone(),
                live: true,
                ..Link::default()
            });
        }
        if let Some(link) = links.last_mut() {
            link.methods.push(format!("{} {}", edge.kind, edge.method));
            link.declared |= declared;
            link.live &= edge.live || !declared;
        }
    }
    links
}
