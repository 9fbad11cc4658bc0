//! Rate, errors and duration per service and route, from what ended in the last hour at most.
//!
//! The source is the present (memory), not the stored metrics: it knows every operation that was
//! reported to this process, tells at most 4,096 kinds of them apart, and begins with the process.
//! Calls over RPC are counted as their callers report them, requests over HTTP as the service does
//! that answers them: each once, as on the map.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::Operator;
use super::map::{Called, called, load};
use super::model::{Red, RedBucket, RedPage, RedPoint, RedRoute, RedService};
use super::trace::channel_word;
use crate::telemetry::{Channel, FlowHistory, FlowSteps, Tally};

/// Window when none is asked for.
const WINDOW_DEFAULT: Duration = Duration::from_secs(300);
/// Routes of an answer: those with the most requests. Totals count all there are.
const ROUTES_MAX: usize = 2_000;

/// Whose requests, and since when.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedQuery {
    /// Name of a service; every one of which something ended when absent.
    #[schemars(length(min = 1, max = 255))]
    pub service: Option<String>,
    /// The last so many milliseconds; 300000 when absent.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub window_ms: Option<u64>,
    /// How much of each route: `full` (when absent), `loads` without points and histogram, or
    /// `none` for the services' totals alone.
    #[schemars(extend("enum" = ["full", "loads", "none"]))]
    pub routes: Option<String>,
}

/// How much is told of each route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    Full,
    Loads,
    None,
}

impl RedQuery {
    fn detail(&self) -> Detail {
        match self.routes.as_deref() {
            Some("loads") => Detail::Loads,
            Some("none") => Detail::None,
            _ => Detail::Full,
        }
    }
}

/// Service, kind and name.
type Key = (String, &'static str, String);
/// What happened, by how many steps ago.
type Steps = BTreeMap<u32, Tally>;

impl Operator {
    /// How requests go.
    pub fn red(&self, query: &RedQuery) -> RedPage {
        let window = query
            .window_ms
            .map_or(WINDOW_DEFAULT, Duration::from_millis);
        let history = self.parts().telemetry.flow().history(window);
        let mut routes: BTreeMap<Key, Steps> = BTreeMap::new();
        for series in &history.series {
            let key = key(self, series);
            let only = query.service.as_deref();
            if let Some(key) = key.filter(|it| only.is_none_or(|only| it.0 == only)) {
                add(routes.entry(key).or_default(), &series.steps);
            }
        }
        let drawn = Drawn {
            now_ms: self.parts().clock.now().as_millis(),
            history: &history,
            detail: query.detail(),
        };
        RedPage {
            window_ms: millis(history.covered),
            step_ms: millis(history.step),
            services: drawn.services(&routes, ROUTES_MAX),
            truncated: drawn.detail != Detail::None && routes.len() > ROUTES_MAX,
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn add(sum: &mut Steps, more: &[(u32, Tally)]) {
    for (ago, tally) in more {
        sum.entry(*ago).or_default().merge(tally);
    }
}

/// Who served what; `None` for the other side of a call.
fn key(operator: &Operator, it: &FlowSteps) -> Option<Key> {
    let channel = it.channel?;
    let name = |id| operator.parts().registry.service_name(id);
    let actor = || operator.service_name(it.actor);
    match (channel, called(channel, &it.subject)) {
        (_, Some(Called::Rpc { to, method })) => {
            Some((it.peer.and_then(name).unwrap_or(to), "rpc", method))
        }
        (_, Some(Called::Http { method })) => Some((actor(), "http", method)),
        (Channel::Rpc | Channel::Http, None) => None,
        (_, None) => Some((actor(), channel_word(channel), it.subject.to_string())),
    }
}

fn summed(steps: &Steps) -> Tally {
    let mut sum = Tally::default();
    steps.values().for_each(|it| sum.merge(it));
    sum
}

/// The routes with the most requests, so many at most; of equal ones the first by their keys.
fn busiest(routes: &BTreeMap<Key, Steps>, most: usize) -> BTreeSet<&Key> {
    let count = |steps: &Steps| steps.values().map(Tally::count).sum::<u64>();
    let mut all: Vec<_> = routes
        .iter()
        .map(|(key, steps)| (Reverse(count(steps)), key))
        .collect();
    all.sort_unstable();
    all.into_iter().take(most).map(|(_, key)| key).collect()
}

struct Drawn<'h> {
    now_ms: i64,
    history: &'h FlowHistory,
    /// Of routes; totals are always told in full.
    detail: Detail,
}

impl Drawn<'_> {
    /// All services, with the `most` busiest routes of all in the order of their keys.
    fn services(&self, routes: &BTreeMap<Key, Steps>, most: usize) -> Vec<RedService> {
        let told = busiest(routes, most);
        let mut services: Vec<(RedService, Steps)> = Vec::new();
        for (key, steps) in routes {
            let (service, kind, name) = key;
            if services.last().is_none_or(|(it, _)| it.service != *service) {
                let fresh = RedService {
                    service: service.clone(),
                    ..RedService::default()
                };
                services.push((fresh, Steps::new()));
            }
            let Some((shown, total)) = services.last_mut() else {
                continue;
            };
            if *kind != channel_word(Channel::User) {
                steps
                    .iter()
                    .for_each(|(ago, it)| total.entry(*ago).or_default().merge(it));
            }
            let is_told = told.contains(key);
            if let Some(red) = is_told.then(|| self.route(steps)).flatten() {
                let (kind, name) = ((*kind).to_owned(), name.clone());
                shown.routes.push(RedRoute { kind, name, red });
            }
        }
        let finish = |(mut service, total): (RedService, Steps)| {
            service.total = self.red(&total);
            service
        };
        services.into_iter().map(finish).collect()
    }

    /// A route as far as it is asked for.
    fn route(&self, steps: &Steps) -> Option<Red> {
        match self.detail {
            Detail::Full => Some(self.red(steps)),
            Detail::Loads => Some(Red {
                load: load(&summed(steps), self.history.covered),
                ..Red::default()
            }),
            Detail::None => None,
        }
    }

    fn red(&self, steps: &Steps) -> Red {
        let sum = summed(steps);
        let step = i64::try_from(self.history.step.as_millis()).unwrap_or(i64::MAX);
        let begun = i64::try_from(self.history.begun.as_millis()).unwrap_or(0);
        let point = |ago: u32| {
            let it = steps.get(&ago).cloned().unwrap_or_default();
            let it = load(&it, self.history.step);
            RedPoint {
                at_unix_ms: self.now_ms - begun - step * i64::from(ago),
                count: it.count,
                errors: it.errors,
                p50_ms: it.p50_ms,
                p95_ms: it.p95_ms,
            }
        };
        // Three digits are more than a bucket knows.
        let bucket = |(up_to_ms, count): (f64, u64)| RedBucket {
            up_to_ms: (up_to_ms * 1_000.0).round() / 1_000.0,
            count,
        };
        Red {
            load: load(&sum, self.history.covered),
            points: (0..self.history.steps).rev().map(point).collect(),
            histogram: sum.buckets().map(bucket).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(count: u64) -> Steps {
        let mut tally = Tally::default();
        (0..count).for_each(|_| tally.add(1, false));
        Steps::from([(0, tally)])
    }

    fn route(service: &str, kind: &'static str, nth: u64) -> Key {
        (service.to_owned(), kind, format!("GET /{nth}"))
    }

    #[test]
    fn totals_count_every_route_also_those_for_which_there_is_no_room() {
        let history = FlowHistory {
            covered: Duration::from_secs(60),
            step: Duration::from_secs(10),
            steps: 6,
            begun: Duration::ZERO,
            series: Vec::new(),
        };
        let drawn = |detail| Drawn {
            now_ms: 60_000,
            history: &history,
            detail,
        };
        let routes = (1..=5).map(|nth| (route("api", "http", nth), ended(nth)));
        let mut routes: BTreeMap<Key, Steps> = routes.collect();
        routes.insert(route("web", "http", 1), ended(3));
        routes.insert(route("web", "user", 2), ended(9));
        routes.insert(route("yard", "http", 1), ended(1));

        for (most, told) in [(4, 4), (100, 8), (0, 0)] {
            let services = drawn(Detail::Loads).services(&routes, most);
            let totals: Vec<_> = services
                .iter()
                .map(|it| (&*it.service, it.total.load.count))
                .collect();
            assert_eq!(totals, [("api", 15), ("web", 3), ("yard", 1)]);
            let shown: usize = services.iter().map(|it| it.routes.len()).sum();
            assert_eq!(shown, told);
        }
        let services = drawn(Detail::Full).services(&routes, 4);
        let shown: Vec<_> = services
            .iter()
            .flat_map(|it| it.routes.iter().map(|route| (&*it.service, &*route.name)))
            .collect();
        let busiest = [
            // `GET /1` of `web` has as many; of equal ones the first by name is told.
            ("api", "GET /3"),
            ("api", "GET /4"),
            ("api", "GET /5"),
            ("web", "GET /2"),
        ];
        assert_eq!(shown, busiest);
        let none = drawn(Detail::None).services(&routes, 4);
        assert!(none.iter().all(|it| it.routes.is_empty()));
        assert_eq!(none.len(), 3);
    }
}
