//! Differences in where operations are below their servers, and in whom they let in.
//!
//! Invariant: a difference that several operations have is told once, with all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::access::{Access, Way};
use super::change::Breaks::Http;
use super::change::{Change, Verdict};

/// Every difference of the operations, accepted and present, each with those that have it.
pub(super) fn compare<'r>(
    pairs: impl Iterator<Item = (&'r String, [&'r Access; 2])>,
) -> Vec<(BTreeSet<String>, Change)> {
    let mut found: BTreeMap<String, (BTreeSet<String>, Change)> = BTreeMap::new();
    for (route, [before, now]) in pairs {
        let changes = [servers(before, now), security(before, now)];
        for change in changes.into_iter().flatten() {
            let known = found.entry(change.what.clone());
            let (routes, _) = known.or_insert_with(|| (BTreeSet::new(), change));
            routes.insert(route.clone());
        }
    }
    let named = found.into_values().map(|(routes, change)| {
        let of = match routes.first() {
            Some(only) if routes.len() == 1 => format!("route `{only}`"),
            _ => format!("{} routes", routes.len()),
        };
        let what = format!("{of}: {}", change.what);
        (routes, Change { what, ..change })
    });
    named.collect()
}

fn servers(before: &Access, now: &Access) -> Option<Change> {
    let (before, now) = (before.below(), now.below());
    if before == now {
        return None;
    }
    let shown = |all: &BTreeSet<String>| either(all.iter().map(|it| format!("`{it}`")));
    let what = format!(
        "the path of the server is {} instead of {}",
        shown(&now),
        shown(&before)
    );
    Some(if before.is_subset(&now) {
        Change::new(Verdict::Minor, what)
    } else {
        let todo = "keep the server of before, too, until nobody calls it, then accept";
        Change::major(&[Http], what).todo(todo)
    })
}

fn security(before: &Access, now: &Access) -> Option<Change> {
    let (before, now) = (before.ways(), now.ways());
    if before == now {
        return None;
    }
    let what = format!(
        "the security is {} instead of {}",
        ways(&now),
        ways(&before)
    );
    // Who brings what was asked for brings at least what one way in asks for.
    let is_enough = |way: &Way| now.iter().any(|it| it.is_subset(way));
    Some(if before.iter().all(is_enough) {
        Change::new(Verdict::Minor, what)
    } else {
        let todo = "go on letting in who was let in; callers of today bring no more than that";
        Change::major(&[Http], what).todo(todo)
    })
}

fn ways(all: &BTreeSet<Way>) -> String {
    let one = |way: &Way| {
        let parts: Vec<_> = way.iter().map(|it| format!("`{it}`")).collect();
        if parts.is_empty() {
            "nothing".to_owned()
        } else {
            parts.join(" and ")
        }
    };
    either(all.iter().map(one))
}

fn either(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join(" or ")
}
