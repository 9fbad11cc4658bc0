//! Everything that differs between an accepted and a present contract.
//!
//! Invariant: a difference is told once, at the declaration that changed; the rpcs that it reaches
//! are named with it.

use std::collections::{BTreeMap, BTreeSet};

use super::alike::are_alike;
use super::change::Breaks::{Code, Json, Promise, Wire};
use super::change::{Change, Places, Report, Rerouted, Verdict};
use super::model::{Idempotency, Lock, Rpc};
use super::reserved::{self, Reserved};
use super::{bindings, constants, fields, routes};

/// Compares; `places` says where the present declarations are.
#[must_use]
pub fn compare(accepted: &Lock, present: &Lock, places: &Places) -> Report {
    let mut diff = Diff {
        accepted,
        places,
        changes: Vec::new(),
    };
    diff.rpcs(present);
    diff.messages(present);
    diff.enums(present);
    if let Some(now) = &present.events {
        let before = accepted.events.as_ref();
        diff.events([before.unwrap_or(&BTreeMap::new()), now], present);
    }
    if let Some(now) = &present.routes {
        let before = accepted.routes.as_ref();
        for (names, change) in routes::compare(before.unwrap_or(&BTreeMap::new()), now) {
            let at = names.first().cloned().unwrap_or_default();
            diff.put(&at, names, change);
        }
    }
    let mut changes = diff.changes;
    changes.sort_by(|a, b| (b.verdict, &a.what).cmp(&(a.verdict, &b.what)));
    Report {
        changes,
        rerouted: rerouted(accepted, present),
    }
}

fn rerouted(accepted: &Lock, present: &Lock) -> Vec<Rerouted> {
    let both = |name: &String| Some((accepted.rpcs.get(name)?, present.rpcs.get(name)?));
    let pairs = accepted
        .rpcs
        .keys()
        .filter_map(|name| Some((name, both(name)?)));
    pairs
        .filter(|(_, (before, now))| before.hash != now.hash)
        .map(|(name, (before, now))| Rerouted {
            rpc: name.clone(),
            accepted: before.hash.clone(),
            present: now.hash.clone(),
        })
        .collect()
}

struct Diff<'d> {
    accepted: &'d Lock,
    places: &'d Places,
    changes: Vec<Change>,
}

impl Diff<'_> {
    fn put(&mut self, at: &str, concerns: BTreeSet<String>, change: Change) {
        self.changes.push(Change {
            place: self.places.near(at),
            concerns,
            ..change
        });
    }

    /// A change of a type concerns every rpc that carries it.
    fn put_type(&mut self, at: &str, type_name: &str, change: Change) {
        let carriers = self.accepted.carriers_of(type_name);
        self.put(at, reached(&change, carriers, self.accepted), change);
    }

    fn rpcs(&mut self, present: &Lock) {
        for (name, before) in &self.accepted.rpcs {
            let concerns = BTreeSet::from([name.clone()]);
            let Some(now) = present.rpcs.get(name) else {
                let change = Change::major(&[Wire, Code], format!("rpc `{name}` is gone"))
                    .todo("put it back until nobody calls it, then accept");
                let forms = before.http.keys().cloned();
                self.put(name, concerns.into_iter().chain(forms).collect(), change);
                continue;
            };
            for change in rpc(name, before, now) {
                let concerns = reached(&change, concerns.clone(), self.accepted);
                self.put(name, concerns, change);
            }
            let locks = [self.accepted, present];
            for (route, change) in bindings::compare(name, [before, now], locks) {
                self.put(name, BTreeSet::from([route]), change);
            }
        }
        for name in present.rpcs.keys() {
            if !self.accepted.rpcs.contains_key(name) {
                let change = Change::new(Verdict::Minor, format!("rpc `{name}` is new"));
                self.put(name, BTreeSet::new(), change);
            }
        }
    }

    fn messages(&mut self, present: &Lock) {
        for (name, before) in &self.accepted.messages {
            let Some(now) = present.messages.get(name) else {
                let change = gone("message", name, self.accepted);
                self.put_type(name, name, change);
                continue;
            };
            let locks = [self.accepted, present];
            for (field, change) in fields::compare(name, [before, now], locks) {
                let at = format!("{name}.{field}");
                self.put_type(&at, name, change);
            }
        }
        for name in present.messages.keys() {
            if !self.accepted.messages.contains_key(name) {
                let change = Change::new(Verdict::Minor, format!("message `{name}` is new"));
                self.put(name, BTreeSet::new(), change);
            }
        }
    }

    fn enums(&mut self, present: &Lock) {
        for (name, before) in &self.accepted.enums {
            let Some(now) = present.enums.get(name) else {
                let change = gone("enum", name, self.accepted);
                self.put_type(name, name, change);
                continue;
            };
            for (constant, change) in constants::compare(name, before, now) {
                self.put_type(&format!("{name}.{constant}"), name, change);
            }
            // Locks of the first format do not have what enums reserve.
            if !self.accepted.is_first_format {
                let changes = reserved::changes(name, &Reserved::of(before), &Reserved::of(now));
                for change in changes {
                    self.put_type(name, name, change);
                }
            }
        }
        for name in present.enums.keys() {
            if !self.accepted.enums.contains_key(name) {
                let change = Change::new(Verdict::Minor, format!("enum `{name}` is new"));
                self.put(name, BTreeSet::new(), change);
            }
        }
    }
}

/// Whom a change reaches: what breaks JSON, those who call rpcs by their HTTP forms, and anything
/// else, those who call the rpcs themselves, which travel as protobuf.
fn reached(change: &Change, carriers: BTreeSet<String>, accepted: &Lock) -> BTreeSet<String> {
    let forms = carriers
        .iter()
        .filter(|_| change.breaks.contains(&Json))
        .filter_map(|name| accepted.rpcs.get(name))
        .flat_map(|rpc| rpc.http.keys().cloned());
    let mut found: BTreeSet<String> = forms.collect();
    let is_json_only = change.breaks.iter().eq([&Json]);
    let others = carriers.into_iter();
    found.extend(others.filter(|it| !(is_json_only && accepted.rpcs.contains_key(it))));
    found
}

type Events = BTreeMap<String, String>;

impl Diff<'_> {
    fn events(&mut self, [old, new]: [&Events; 2], present: &Lock) {
        for (address, before) in old {
            let change = match new.get(address) {
                Some(now) if now == before => continue,
                Some(now) => {
                    let what = format!("event `{address}` holds `{now}` instead of `{before}`");
                    let todo = "publish it under an address of its own, and keep this one";
                    let breaks: &[_] = if are_alike([self.accepted, present], before, now) {
                        &[Code]
                    } else {
                        &[Wire, Json, Code]
                    };
                    Change::major(breaks, what).todo(todo)
                }
                None => Change::major(&[Wire], format!("event `{address}` is gone"))
                    .todo("go on publishing it until nobody subscribes, then accept"),
            };
            let concerns = BTreeSet::from([format!("event {address}")]);
            self.put(before, concerns, change);
        }
        for (address, message) in new.iter().filter(|(it, _)| !old.contains_key(*it)) {
            let change = Change::new(Verdict::Minor, format!("event `{address}` is new"));
            self.put(message, BTreeSet::new(), change);
        }
    }
}

/// A type that is gone: what that does to bytes and JSON is told where it was used.
fn gone(what: &str, name: &str, accepted: &Lock) -> Change {
    let breaks: &[_] = if accepted.is_used(name) {
        &[Code]
    } else {
        &[Json, Code]
    };
    Change::major(breaks, format!("{what} `{name}` is gone"))
        .todo("put it back; a type that is renamed is another type to its callers")
}

fn rpc(name: &str, old: &Rpc, new: &Rpc) -> Vec<Change> {
    let mut found = Vec::new();
    let types = [
        ("takes", &old.input, &new.input),
        ("answers", &old.output, &new.output),
    ];
    for (verb, before, now) in types.into_iter().filter(|(_, before, now)| before != now) {
        let what = format!("rpc `{name}` {verb} `{now}` instead of `{before}`");
        let breaks: &[_] = if old.hash == new.hash {
            &[Code]
        } else {
            &[Wire, Json, Code]
        };
        let todo = "add an rpc with a name of its own, and keep this one";
        found.push(Change::major(breaks, what).todo(todo));
    }
    if old.streaming != new.streaming {
        let now = if new.streaming {
            "a stream"
        } else {
            "one message"
        };
        let what = format!("rpc `{name}` answers with {now}");
        let todo = "add an rpc with a name of its own, and keep this one";
        found.push(Change::major(&[Wire, Code], what).todo(todo));
    }
    found.extend(promise(name, old.idempotency, new.idempotency));
    if !old.deprecated && new.deprecated {
        let what = format!("rpc `{name}` is deprecated");
        found.push(Change::new(Verdict::Minor, what));
    }
    found
}

fn promise(name: &str, old: Idempotency, new: Idempotency) -> Option<Change> {
    if old == new {
        return None;
    }
    let (before, now) = (old.as_str(), new.as_str());
    let what = format!("rpc `{name}` has the idempotency {now} instead of {before}");
    Some(if new > old {
        Change::new(Verdict::Minor, what)
    } else {
        let todo = "callers that were built before repeat calls on the old promise: keep it";
        Change::major(&[Promise], what).todo(todo)
    })
}
