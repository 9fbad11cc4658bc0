//! The map with life in it: the registry joined with the present.

use std::collections::BTreeMap;
use std::time::Duration;

use super::engine::Operator;
use super::model::{LiveEdge, LiveMap, LiveService, Load, links};
use crate::registry::MapEdge;
use crate::telemetry::{Channel, EdgeFlow, Flows, Tally};

/// Window of the map when none is asked for.
pub(super) const WINDOW_DEFAULT: Duration = Duration::from_secs(300);

impl Operator {
    /// Services and calls, with what went on in the last `window` (an hour at most).
    pub fn live_map(&self, window: Duration) -> LiveMap {
        join(self, window)
    }
}

/// Caller, target, kind and method.
pub(super) type Key = (String, String, String, String);

fn join(operator: &Operator, window: Duration) -> LiveMap {
    let map = operator.map();
    let flows = operator.parts().telemetry.flow().edges(window);
    let seen = seen(operator, &flows);
    let mut served: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut called: BTreeMap<(&str, &str), Tally> = BTreeMap::new();
    for ((from, to, _, _), tally) in &seen {
        served.entry(to).or_default().merge(tally);
        called.entry((from, to)).or_default().merge(tally);
    }
    let load = |tally: &Tally| load(tally, flows.covered);
    let services = map.services.into_iter().map(|service| LiveService {
        served: served.get(&*service.name).map(load),
        service,
    });
    let services: Vec<_> = services.collect();
    let mut edges = edges(map.edges, &services, &seen, load);
    edges.sort_by(|a, b| a.edge.cmp(&b.edge));
    let mut links = links(&edges);
    for link in &mut links {
        link.load = called.get(&(&*link.from, &*link.to)).map(load);
    }
    LiveMap {
        window_ms: u64::try_from(flows.covered.as_millis()).unwrap_or(u64::MAX),
        services,
        links,
        edges,
        uncounted: flows.other.count(),
    }
}

/// What was called, by whom and of whom.
pub(super) fn seen(operator: &Operator, flows: &Flows) -> BTreeMap<Key, Tally> {
    let mut seen: BTreeMap<Key, Tally> = BTreeMap::new();
    for edge in &flows.edges {
        if let Some(key) = key(operator, edge) {
            seen.entry(key).or_default().merge(&edge.tally);
        }
    }
    seen
}

/// What was declared, with its load, then what was only seen.
fn edges(
    declared: Vec<MapEdge>,
    services: &[LiveService],
    seen: &BTreeMap<Key, Tally>,
    load: impl Fn(&Tally) -> Load,
) -> Vec<LiveEdge> {
    let key = |it: &MapEdge| {
        let (from, to) = (it.from.clone(), it.to.clone());
        (from, to, it.kind.clone(), it.method.clone())
    };
    let known: BTreeMap<Key, ()> = declared.iter().map(|it| (key(it), ())).collect();
    let said = declared.into_iter().map(|edge| LiveEdge {
        load: seen.get(&key(&edge)).map(&load),
        declared: true,
        edge,
    });
    let serves = |to: &str, kind: &str, method: &str| {
        let service = services.iter().find(|it| it.service.name == to);
        let methods = service.map_or(&[][..], |it| &it.service.methods);
        methods
            .iter()
            .any(|it| it.kind == kind && it.name == method)
    };
    let unsaid = seen.iter().filter(|(key, _)| !known.contains_key(*key));
    let unsaid = unsaid.map(|((from, to, kind, method), tally)| LiveEdge {
        edge: MapEdge {
            from: from.clone(),
            to: to.clone(),
            kind: kind.clone(),
            method: method.clone(),
            live: serves(to, kind, method),
        },
        declared: false,
        load: Some(load(tally)),
    });
    said.chain(unsaid).collect()
}

/// Who called whom, and what; `None` for work that is nobody's call.
fn key(operator: &Operator, edge: &EdgeFlow) -> Option<Key> {
    let name = |id| operator.parts().registry.service_name(id);
    let actor = || name(edge.actor).unwrap_or_else(|| edge.actor.to_string());
    let peer = edge.peer.and_then(name);
    let (from, to, kind, method) = match called(edge.channel?, &edge.subject)? {
        Called::Rpc { to, method } => (actor(), peer.unwrap_or(to), "rpc", method),
        Called::Http { method } => (peer.unwrap_or_default(), actor(), "http", method),
    };
    Some((from, to, kind.to_owned(), method))
}

/// What a subject says was called.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Called {
    /// By the one who reports, of another service.
    Rpc { to: String, method: String },
    /// Of the one who reports, by whoever.
    Http { method: String },
}

pub(super) fn called(channel: Channel, subject: &str) -> Option<Called> {
    match channel {
        Channel::Rpc => {
            let (to, method) = subject.strip_prefix("rpc.call:")?.split_once('/')?;
            let (to, method) = (to.to_owned(), method.to_owned());
            Some(Called::Rpc { to, method })
        }
        Channel::Http => {
            // The path keeps its leading slash, after the one that separates.
            let (verb, path) = subject.strip_prefix("http.handle:")?.split_once('/')?;
            let method = format!("{verb} {path}");
            Some(Called::Http { method })
        }
        Channel::Event | Channel::Workflow | Channel::Job | Channel::User => None,
    }
}

pub(super) fn load(tally: &Tally, covered: Duration) -> Load {
    // Three digits are more than a bucket knows.
    let round = |it: f64| (it * 1_000.0).round() / 1_000.0;
    let seconds = covered.as_secs_f64().max(1.0);
    Load {
        count: tally.count(),
        errors: tally.errors(),
        per_second: round(tally.count() as f64 / seconds),
        p50_ms: round(tally.percentile_ms(0.5)),
        p95_ms: round(tally.percentile_ms(0.95)),
        p99_ms: round(tally.percentile_ms(0.99)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_say_what_was_called() {
        let rpc = |to: &str, method: &str| Called::Rpc {
            to: to.to_owned(),
            method: method.to_owned(),
        };
        assert_eq!(
            called(Channel::Rpc, "rpc.call:desk/Echo"),
            Some(rpc("desk", "Echo"))
        );
        let method = "GET /users/{id}".to_owned();
        let http = called(Channel::Http, "http.handle:GET//users/{id}");
        assert_eq!(http, Some(Called::Http { method }));
        for nobodys in ["brew", "rpc.call:desk", "http.handle:GET"] {
            assert_eq!(called(Channel::Rpc, nobodys), None);
            assert_eq!(called(Channel::Http, nobodys), None);
        }
        assert_eq!(called(Channel::User, "rpc.call:desk/Echo"), None);
    }

    #[test]
    fn what_was_seen_but_not_declared_is_on_the_map_too() {
        let edge = |from: &str, method: &str| MapEdge {
            from: from.to_owned(),
            to: "desk".to_owned(),
            kind: "rpc".to_owned(),
            method: method.to_owned(),
            live: true,
        };
        let key = |from: &str, method: &str| {
            let (to, kind) = ("desk".to_owned(), "rpc".to_owned());
            (from.to_owned(), to, kind, method.to_owned())
        };
        let seen = [("orders", "Echo"), ("mailer", "Echo")];
        let seen = seen.map(|(from, method)| (key(from, method), Tally::default()));
        let declared = vec![edge("orders", "Echo"), edge("orders", "Wait")];
        let edges = edges(declared, &[], &seen.into(), |_| Load::default());
        let told: Vec<_> = edges
            .iter()
            .map(|it| {
                (
                    &*it.edge.from,
                    &*it.edge.method,
                    it.declared,
                    it.load.is_some(),
                )
            })
            .collect();
        let expected = [
            ("orders", "Echo", true, true),
            ("orders", "Wait", true, false),
            ("mailer", "Echo", false, true),
        ];
        assert_eq!(told, expected);
        assert!(!edges[2].edge.live, "nobody is known to serve it");
    }
}
