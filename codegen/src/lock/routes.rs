//! Differences between two states of the HTTP operations.
//!
//! What is taken and what is given are judged in opposite directions: asking for more breaks
//! callers, giving less does.

use std::collections::{BTreeMap, BTreeSet};

use super::change::Breaks::{Http, Json};
use super::change::{Change, Verdict};
use super::model::Route;
use super::shape::{Entry, Shape};

type Routes = BTreeMap<String, Route>;

/// Every difference, each with its route.
pub(super) fn compare(old: &Routes, new: &Routes) -> Vec<(String, Change)> {
    let mut found = Vec::new();
    for (name, before) in old {
        let changes = match new.get(name) {
            Some(now) => differences(name, before, now),
            None => vec![
                Change::major(&[Http], format!("route `{name}` is gone"))
                    .todo("put it back until nobody calls it, then accept"),
            ],
        };
        found.extend(changes.into_iter().map(|change| (name.clone(), change)));
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        let change = Change::new(Verdict::Minor, format!("route `{name}` is new"));
        found.push((name.clone(), change));
    }
    found
}

fn differences(name: &str, old: &Route, new: &Route) -> Vec<Change> {
    let mut found = Vec::new();
    if old.operation != new.operation {
        let shown = |it: &Option<String>| it.clone().unwrap_or_else(|| "nothing".to_owned());
        let (now, before) = (shown(&new.operation), shown(&old.operation));
        let what = format!("route `{name}` is called `{now}` instead of `{before}`");
        let todo = "requests stay as they are; clients made from the document name it";
        found.push(Change::major(&[super::change::Breaks::Code], what).todo(todo));
    }
    let places: BTreeSet<&String> = old.shape.keys().chain(new.shape.keys()).collect();
    for place in places {
        let change = match (old.shape.get(place), new.shape.get(place)) {
            (Some(before), Some(now)) => differs(place, before, now),
            (Some(before), None) if is_outermost(place, &new.shape, &old.shape) => {
                Some(lost(place, before))
            }
            (None, Some(now)) if is_outermost(place, &old.shape, &new.shape) => {
                Some(gained(place, now))
            }
            _ => None,
        };
        found.extend(change.map(|change| Change {
            what: format!("route `{name}`: {}", change.what),
            ..change
        }));
    }
    found
}

/// Whether the value around the place is on both sides, so that the place itself is the news.
fn is_outermost(place: &str, without: &Shape, with: &Shape) -> bool {
    let mut around = place;
    while let Some(end) = around.rfind(['.', '[', '{']) {
        around = &around[..end];
        if with.contains_key(around) {
            return without.contains_key(around);
        }
    }
    true
}

fn is_taken(place: &str) -> bool {
    place.starts_with("in.")
}

/// Whether the place is `out.404` itself, in whatever form, and not something inside of it.
pub(super) fn is_error_answer(place: &str) -> bool {
    let status = place.strip_prefix("out.").unwrap_or_default();
    let (status, form) = status.split_at(status.find('(').unwrap_or(status.len()));
    let is_error = status.starts_with(['4', '5']) && status.chars().all(char::is_alphanumeric);
    is_error && (form.is_empty() || form.ends_with(')'))
}

fn lost(place: &str, before: &Entry) -> Change {
    if is_taken(place) {
        let what = format!("`{place}` is not taken any more");
        return Change::major(&[Json], what).todo("go on taking it, even if only to ignore it");
    }
    if is_error_answer(place) {
        return Change::new(Verdict::Minor, format!("`{place}` is not given any more"));
    }
    let what = format!("`{place}` ({}) is not given any more", before.ty);
    Change::major(&[Json], what).todo("go on giving it until nobody reads it")
}

fn gained(place: &str, now: &Entry) -> Change {
    let what = format!("`{place}` ({}) is new", now.ty);
    if is_taken(place) && now.required {
        let todo = "make it optional; requests of today do not have it";
        return Change::major(&[Http, Json], format!("{what} and required")).todo(todo);
    }
    Change::new(Verdict::Minor, what)
}

fn differs(place: &str, before: &Entry, now: &Entry) -> Option<Change> {
    if before.ty != now.ty {
        let what = format!("`{place}` is {} instead of {}", now.ty, before.ty);
        let (wider, narrower) = if is_taken(place) {
            (now, before)
        } else {
            (before, now)
        };
        if holds(wider, narrower) && before.required == now.required {
            return Some(Change::new(Verdict::Minor, what));
        }
        let todo = "keep it, and add a value with a name of its own";
        return Some(Change::major(&[Json], what).todo(todo));
    }
    let what = |word| format!("`{place}` is {word} now");
    match (before.required, now.required, is_taken(place)) {
        (false, true, true) => Some(
            Change::major(&[Json], what("required")).todo("requests of today may leave it out"),
        ),
        (true, false, false) => {
            Some(Change::major(&[Json], what("optional")).todo("readers of today count on it"))
        }
        (false, true, false) => Some(Change::new(Verdict::Minor, what("required"))),
        (true, false, true) => Some(Change::new(Verdict::Minor, what("optional"))),
        _ => None,
    }
}

/// Whether every word of the narrower list is one of the wider.
fn holds(wider: &Entry, narrower: &Entry) -> bool {
    match (words(&wider.ty), words(&narrower.ty)) {
        (Some(wider), Some(narrower)) => wider.is_superset(&narrower),
        _ => false,
    }
}

fn words(ty: &str) -> Option<BTreeSet<&str>> {
    let list = ty.strip_prefix("enum(")?.strip_suffix(')')?;
    Some(list.split('|').collect())
}
