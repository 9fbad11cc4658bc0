//! Differences between two states of the HTTP operations.
//!
//! What is taken and what is given are judged in opposite directions: asking for more breaks
//! callers, giving less does. The names of parameters of a path are not written by callers: other
//! names make no other route.

use std::collections::{BTreeMap, BTreeSet};

use super::change::Breaks::{Http, Json};
use super::change::{Change, Verdict};
use super::entry::{Entry, Shape, limit_lets_through, type_lets_through};
use super::model::Route;
use super::reach;
use super::shape::{is_taken, split_name, word_of_place};
use super::writing::{form, partners};

type Routes = BTreeMap<String, Route>;

/// Every difference, each with the routes that have it.
pub(super) fn compare(old: &Routes, new: &Routes) -> Vec<(BTreeSet<String>, Change)> {
    let mut found = Vec::new();
    let partners = partners(old, new, |it| form(it).0);
    for (name, before) in old {
        let changes = match partners.get(name) {
            Some(other) if *other == name => differences(name, before, &new[*other]),
            Some(other) => {
                let what = format!("route `{name}` is written `{other}` now");
                let now = renamed(&new[*other], [other, name]);
                let mut changes = vec![Change::new(Verdict::Minor, what)];
                changes.extend(differences(name, before, &now));
                changes
            }
            None => vec![
                Change::major(&[Http], format!("route `{name}` is gone"))
                    .todo("put it back until nobody calls it, then accept"),
            ],
        };
        let changes = changes.into_iter();
        found.extend(changes.map(|change| (BTreeSet::from([name.clone()]), change)));
    }
    let accesses = partners.iter().filter_map(|(name, other)| {
        let both = [&old[*name], &new[*other]].map(|it| it.access.as_ref());
        let [Some(before), Some(now)] = both else {
            return None;
        };
        Some((*name, [before, now]))
    });
    found.extend(reach::compare(accesses));
    let known: BTreeSet<_> = partners.values().collect();
    for name in new.keys().filter(|name| !known.contains(name)) {
        let change = Change::new(Verdict::Minor, format!("route `{name}` is new"));
        found.push((BTreeSet::from([name.clone()]), change));
    }
    found
}

/// The route with the parameters of its path called as in another writing of that.
fn renamed(route: &Route, [from, to]: [&str; 2]) -> Route {
    let names = |route: &str| form(route).1.into_iter().map(|it| word_of_place(&it));
    let names: BTreeMap<_, _> = names(from).zip(names(to)).collect();
    let place = |place: &String| {
        let (name, rest) = split_name(place, IN_PATH)?;
        Some(format!("{IN_PATH}{}{rest}", names.get(name)?))
    };
    let entries = route.shape.iter();
    let entries = entries.map(|(it, entry)| {
        let place = place(it).unwrap_or_else(|| it.clone());
        (place, entry.clone())
    });
    Route {
        shape: entries.collect(),
        ..route.clone()
    }
}

/// Where the parameters of a path are.
const IN_PATH: &str = "in.path.";

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
        let changes = match (old.shape.get(place), new.shape.get(place)) {
            (Some(before), Some(now)) => differs(place, before, now),
            (Some(before), None) if is_news(place, &new.shape, &old.shape) => {
                vec![lost(place, before)]
            }
            (None, Some(now)) if is_news(place, &old.shape, &new.shape) => {
                vec![gained(place, now, &old.shape)]
            }
            _ => Vec::new(),
        };
        found.extend(changes.into_iter().map(|change| Change {
            what: format!("route `{name}`: {}", change.what),
            ..change
        }));
    }
    found
}

/// Whether the value around the place is on both sides, so that the place itself is the news.
///
/// Alternatives are not: the type of the value around them lists them.
fn is_news(place: &str, without: &Shape, with: &Shape) -> bool {
    let mut around = place;
    while let Some(end) = around.rfind(['.', '[', '{', '<']) {
        around = &around[..end];
        if with.contains_key(around) {
            return without.contains_key(around) && !place.ends_with('>');
        }
    }
    true
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

fn gained(place: &str, now: &Entry, old: &Shape) -> Change {
    let what = format!("`{place}` ({}) is new", now.ty);
    if is_taken(place) && now.required && !is_another_form(place, old) {
        let todo = "make it optional; requests of today do not have it";
        return Change::major(&[Http, Json], format!("{what} and required")).todo(todo);
    }
    Change::new(Verdict::Minor, what)
}

/// Whether the place is the whole body in one more form than those that were taken before.
fn is_another_form(place: &str, old: &Shape) -> bool {
    let form = place.strip_prefix(BODY).unwrap_or(".");
    let is_whole = form.is_empty() || (form.starts_with('(') && form.ends_with(')'));
    is_whole && old.keys().any(|it| it.starts_with(BODY))
}

/// Where the body of a request is.
const BODY: &str = "in.body";

fn differs(place: &str, before: &Entry, now: &Entry) -> Vec<Change> {
    let mut found = Vec::new();
    if before.ty != now.ty {
        let what = format!("`{place}` is {} instead of {}", now.ty, before.ty);
        let todo = "keep it, and add a value with a name of its own";
        let is_wider = type_lets_through(&now.ty, &before.ty);
        let is_narrower = type_lets_through(&before.ty, &now.ty);
        found.push(judged(place, what, todo, [is_wider, is_narrower]));
    }
    found.extend(limits(place, before, now));
    found.extend(presence(place, before.required, now.required));
    found
}

fn limits(place: &str, before: &Entry, now: &Entry) -> Vec<Change> {
    let mut found = Vec::new();
    let keywords: BTreeSet<&String> = before.limits.keys().chain(now.limits.keys()).collect();
    for keyword in keywords {
        let [was, is] = [before, now].map(|it| it.limits.get(keyword));
        if was == is {
            continue;
        }
        let shown = |it: Option<&String>| it.map_or("none", String::as_str).to_owned();
        let (is_shown, was_shown) = (shown(is), shown(was));
        let what = format!("`{place}` has the {keyword} {is_shown} instead of {was_shown}");
        let todo = if is_taken(place) {
            "go on taking what was taken; callers of today send it"
        } else {
            "keep to it; readers of today count on it"
        };
        let is_wider = limit_lets_through(keyword, is, was);
        let is_narrower = limit_lets_through(keyword, was, is);
        found.push(judged(place, what, todo, [is_wider, is_narrower]));
    }
    found
}

/// Taking less breaks who sends, giving more breaks who reads.
fn judged(place: &str, what: String, todo: &str, [is_wider, is_narrower]: [bool; 2]) -> Change {
    let is_fine = if is_taken(place) {
        is_wider
    } else {
        is_narrower
    };
    if is_fine {
        Change::new(Verdict::Minor, what)
    } else {
        Change::major(&[Json], what).todo(todo)
    }
}

fn presence(place: &str, before: bool, now: bool) -> Option<Change> {
    let word = if now { "required" } else { "optional" };
    let what = format!("`{place}` is {word} now");
    match (before, now, is_taken(place)) {
        (false, true, true) => {
            Some(Change::major(&[Json], what).todo("requests of today may leave it out"))
        }
        (true, false, false) => {
            Some(Change::major(&[Json], what).todo("readers of today count on it"))
        }
        (false, true, false) | (true, false, true) => Some(Change::new(Verdict::Minor, what)),
        _ => None,
    }
}
