//! Routes of services: what is mounted, from the registry, and what of it was called, from the
//! metric of requests.
//!
//! Refuses to guess: a service that counts nothing has no "called", and a route whose series did
//! not fit into an answer is uncertain, never "not called".
//!
//! Invariant: at most [`SERVICES_MAX`] services and [`LOOKS_MAX`] further questions for each.

use std::collections::{BTreeMap, BTreeSet};

use contract::ids::ServiceId;
use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::{AskError, Operator};
use super::model::{RoutesPage, ServiceRoutes};
use crate::db::History;
use crate::registry::MapService;
use crate::telemetry::{MetricQuery, MetricsPage};

/// Services of an answer at most.
const SERVICES_MAX: usize = 256;
/// Routes of a service that are looked for one by one at most.
const LOOKS_MAX: usize = 256;
/// Names that are suggested at most.
const NEAR_MAX: usize = 5;

/// Requests that were answered; a histogram.
const REQUESTS: &str = "http.server.request.duration";
/// Requests that are being answered; it is reported before the first of them has ended.
const ACTIVE: &str = "http.server.active_requests";
const ROUTE: &str = "http.route";
const METHOD: &str = "http.request.method";

/// Whose routes, and since when they were called.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RoutesQuery {
    /// Name of a service; every service with routes when absent.
    #[schemars(length(min = 1, max = 255))]
    pub service: Option<String>,
    /// Unix milliseconds; everything that is kept when absent.
    #[schemars(range(min = 0, max = 253_402_300_799_999_i64))]
    pub since: Option<i64>,
}

/// The time in which calls are looked for, unix milliseconds.
#[derive(Clone, Copy, Debug)]
struct Window {
    from_ms: i64,
    to_ms: i64,
}

/// What was called, and what is not known.
#[derive(Debug, Default)]
struct Calls {
    seen: BTreeSet<String>,
    uncertain: BTreeSet<String>,
}

impl Operator {
    /// Routes of one service or of all that have some.
    ///
    /// # Errors
    ///
    /// [`AskError::Wrong`] when nobody knows the service, with names like it; [`AskError::Store`]
    /// when the store cannot be read.
    pub async fn routes(&self, query: &RoutesQuery) -> Result<RoutesPage, AskError> {
        let mut services = wanted(self.map().services, query.service.as_deref())?;
        let truncated = services.len() > SERVICES_MAX;
        services.truncate(SERVICES_MAX);
        let window = Window {
            from_ms: query.since.unwrap_or(0),
            to_ms: self.parts().clock.now().as_millis(),
        };
        let mut page = RoutesPage {
            from_unix_ms: window.from_ms,
            until_unix_ms: window.to_ms,
            services: Vec::with_capacity(services.len()),
            truncated,
        };
        for service in services {
            let (routes, from_ms) = routes_of(self, service, window).await?;
            page.from_unix_ms = page.from_unix_ms.min(from_ms);
            page.services.push(routes);
        }
        let slices = self.parts().db.slices(History::Metrics);
        let oldest_ms = slices.first().map_or(0, |it| it.from_ms);
        page.from_unix_ms = page.from_unix_ms.max(oldest_ms).min(window.to_ms);
        Ok(page)
    }
}

fn wanted(services: Vec<MapService>, name: Option<&str>) -> Result<Vec<MapService>, AskError> {
    let Some(name) = name else {
        let has_routes = |it: &MapService| it.methods.iter().any(|it| it.kind == "http");
        return Ok(services.into_iter().filter(has_routes).collect());
    };
    if let Some(found) = services.iter().find(|it| it.name == name) {
        return Ok(vec![found.clone()]);
    }
    let near = near(name, services.iter().map(|it| &*it.name));
    let hint = if near.is_empty() {
        "`bridge service list` shows all".to_owned()
    } else {
        format!("is it `{}`?", near.join("` or `"))
    };
    Err(AskError::Wrong(format!(
        "there is no service `{name}`; {hint}"
    )))
}

/// The routes of a service, and from when on their calls were looked for.
async fn routes_of(
    operator: &Operator,
    service: MapService,
    window: Window,
) -> Result<(ServiceRoutes, i64), AskError> {
    let rows = service.methods.into_iter().filter(|it| it.kind == "http");
    let mounted: BTreeSet<String> = rows.map(|it| it.name).collect();
    let mut routes = ServiceRoutes {
        instances: service.instances.len(),
        service: service.name,
        ..ServiceRoutes::default()
    };
    let mut from_ms = window.from_ms;
    if let Some(id) = operator.parts().registry.service_named(&routes.service) {
        let all = ask(operator, id, window, None).await?;
        from_ms -= from_ms.rem_euclid(all.step_ms.max(1));
        let mut calls = Calls {
            seen: names(&all).collect(),
            ..Calls::default()
        };
        if all.truncated {
            look(operator, id, window, &mounted, &mut calls).await?;
        }
        if !calls.seen.is_empty() || counts(operator, id).await? {
            routes.called = Some(calls.seen.into_iter().collect());
            routes.uncertain = calls.uncertain.into_iter().collect();
        }
    }
    routes.mounted = mounted.into_iter().collect();
    Ok((routes, from_ms))
}

/// Looks for each mounted route that was not seen by itself.
async fn look(
    operator: &Operator,
    id: ServiceId,
    window: Window,
    mounted: &BTreeSet<String>,
    calls: &mut Calls,
) -> Result<(), AskError> {
    let mut left: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for name in mounted.iter().filter(|it| !calls.seen.contains(*it)) {
        if let Some((_, template)) = name.split_once(' ') {
            left.entry(template).or_default().push(name);
        }
    }
    for (nth, (template, handlers)) in left.into_iter().enumerate() {
        let mut is_known = false;
        if nth < LOOKS_MAX {
            let page = ask(operator, id, window, Some(template)).await?;
            calls.seen.extend(names(&page));
            is_known = !page.truncated;
        }
        if !is_known {
            let unseen = handlers.into_iter().filter(|it| !calls.seen.contains(*it));
            calls.uncertain.extend(unseen.cloned());
        }
    }
    Ok(())
}

async fn ask(
    operator: &Operator,
    id: ServiceId,
    window: Window,
    template: Option<&str>,
) -> Result<MetricsPage, AskError> {
    let label = template.map(|it| (ROUTE.to_owned(), it.to_owned()));
    let query = MetricQuery {
        name: REQUESTS.to_owned(),
        service: Some(id),
        labels: label.into_iter().collect(),
        from_ms: Some(window.from_ms),
        to_ms: Some(window.to_ms),
        ..MetricQuery::default()
    };
    Ok(operator.parts().telemetry.query_metrics(&query).await?)
}

/// Method and template of the series with observations.
fn names(page: &MetricsPage) -> impl Iterator<Item = String> {
    let observed = page.series.iter().filter(|it| !it.points.is_empty());
    observed.filter_map(|it| {
        let (method, route) = (it.labels.get(METHOD)?, it.labels.get(ROUTE)?);
        Some(format!("{method} {route}"))
    })
}

/// Whether the service counts requests at all.
async fn counts(operator: &Operator, id: ServiceId) -> Result<bool, AskError> {
    let names = operator
        .parts()
        .telemetry
        .list_metric_names(Some(id))
        .await?;
    Ok(names
        .iter()
        .any(|it| it.name == REQUESTS || it.name == ACTIVE))
}

/// The names that `wanted` may have been meant for, the nearest first.
fn near<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let most = (wanted.chars().count() / 3).max(1);
    let mut near: Vec<_> = names
        .map(|it| (edits(wanted, it), it))
        .filter(|(edits, it)| *edits <= most || it.starts_with(wanted))
        .collect();
    near.sort_unstable();
    near.into_iter().take(NEAR_MAX).map(|(_, it)| it).collect()
}

/// Letters to insert, take out or replace between two names.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (nth, left) in a.chars().enumerate() {
        let mut corner = nth;
        row[0] = nth + 1;
        for (at, right) in b.iter().enumerate() {
            let replaced = corner + usize::from(left != *right);
            corner = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_are_suggested_first() {
        let names = ["orders", "order-desk", "payments", "border", "mug"];
        let near = |wanted: &str| near(wanted, names.into_iter());
        assert_eq!(near("order"), ["border", "orders", "order-desk"]);
        assert_eq!(near("paymnets"), ["payments"]);
        assert_eq!(near("mig"), ["mug"]);
        assert!(near("warehouse").is_empty());
        let wanted = "x".repeat(10_000);
        assert!(super::near(&wanted, std::iter::once("")).is_empty());
    }

    #[test]
    fn edits_are_counted_in_letters() {
        for (a, b, count) in [
            ("", "", 0),
            ("", "äb", 2),
            ("abc", "abc", 0),
            ("ab", "ba", 2),
        ] {
            assert_eq!((edits(a, b), edits(b, a)), (count, count), "{a} {b}");
        }
        assert_eq!(edits("kitten", "sitting"), 3);
    }
}
