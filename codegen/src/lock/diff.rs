//! Everything that differs between an accepted and a present contract.
//!
//! Invariant: a difference is told once, at the declaration that changed; the rpcs that it reaches
//! are named with it.

use std::collections::{BTreeMap, BTreeSet};

use super::change::Breaks::{Code, Http, Json, Promise, Wire};
use super::change::{Change, Places, Report, Rerouted, Verdict};
use super::fields;
use super::model::{Bodies, Enum, Idempotency, Lock, Rpc};
use super::routes;

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
        diff.events(accepted.events.as_ref().unwrap_or(&BTreeMap::new()), now);
    }
    if let Some(now) = &present.routes {
        let before = accepted.routes.as_ref();
        for (route, change) in routes::compare(before.unwrap_or(&BTreeMap::new()), now) {
            diff.put(&route, BTreeSet::from([route.clone()]), change);
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
        self.put(at, self.accepted.carriers_of(type_name), change);
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
                self.put(name, concerns.clone(), change);
            }
            for (route, change) in bindings(name, &before.http, &now.http) {
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
                let change = gone("message", name);
                self.put_type(name, name, change);
                continue;
            };
            for (number, change) in fields::compare(name, before, now) {
                let field = now.fields.get(&number).or(before.fields.get(&number));
                let at = field.map_or_else(|| name.clone(), |it| format!("{name}.{}", it.name));
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
                let change = gone("enum", name);
                self.put_type(name, name, change);
                continue;
            };
            for (constant, change) in constants(name, before, now) {
                self.put_type(&format!("{name}.{constant}"), name, change);
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

type Events = BTreeMap<String, String>;

impl Diff<'_> {
    fn events(&mut self, old: &Events, new: &Events) {
        for (address, before) in old {
            let change = match new.get(address) {
                Some(now) if now == before => continue,
                Some(now) => {
                    let what = format!("event `{address}` holds `{now}` instead of `{before}`");
                    let todo = "publish it under an address of its own, and keep this one";
                    Change::major(&[Wire, Json, Code], what).todo(todo)
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

fn gone(what: &str, name: &str) -> Change {
    Change::major(&[Json, Code], format!("{what} `{name}` is gone"))
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

type Bindings = BTreeMap<String, Bodies>;

/// What differs in the HTTP forms of an rpc, each with its route: who calls the rpc itself, or
/// another form of it, notices nothing.
fn bindings(name: &str, old: &Bindings, new: &Bindings) -> Vec<(String, Change)> {
    let mut found = Vec::new();
    for (route, before) in old {
        match new.get(route) {
            None => {
                let what = format!("rpc `{name}` is not at `{route}` any more");
                let todo = "keep it as one of the `additional_bindings`";
                found.push((route.clone(), Change::major(&[Http], what).todo(todo)));
            }
            Some(now) if now != before => {
                let what = format!("rpc `{name}` at `{route}` has another body");
                let todo = "add a binding with a path of its own, and keep this one";
                found.push((route.clone(), Change::major(&[Http, Json], what).todo(todo)));
            }
            Some(_) => {}
        }
    }
    for route in new.keys().filter(|route| !old.contains_key(*route)) {
        let what = format!("rpc `{name}` is at `{route}` too");
        found.push((route.clone(), Change::new(Verdict::Minor, what)));
    }
    found
}

fn constants<'e>(name: &str, old: &'e Enum, new: &'e Enum) -> Vec<(&'e str, Change)> {
    let mut found = Vec::new();
    for (constant, number) in &old.values {
        let change = match new.values.get(constant) {
            Some(now) if now == number => continue,
            Some(now) => {
                let what = format!("`{name}`: `{constant}` is {now} instead of {number}");
                Change::major(&[Wire, Code], what).todo("give it its number back")
            }
            None if new.values.values().any(|other| other == number) => {
                let what = format!("`{name}`: {number} is not called `{constant}` any more");
                let todo = "keep the name as an alias (`option allow_alias = true`)";
                Change::major(&[Json, Code], what).todo(todo)
            }
            None => {
                let what = format!("`{name}`: {number} `{constant}` is gone");
                let todo = "keep it; a sender that was built before still sends it";
                Change::major(&[Json, Code], what).todo(todo)
            }
        };
        found.push((constant.as_str(), change));
    }
    // A lock of before may not say it.
    if let (Some(before), Some(now)) = (&old.default, &new.default)
        && before != now
        && new.values.contains_key(before)
    {
        let what = format!("`{name}`: absent means `{now}` instead of `{before}`");
        let todo = "keep the constant that was first the first: the order is the default of proto2";
        found.push((now.as_str(), Change::major(&[Wire, Json], what).todo(todo)));
    }
    for (constant, number) in &new.values {
        if !old.values.contains_key(constant) {
            let what = format!("`{name}`: {number} `{constant}` is new");
            let todo = "give each `match` that lists every value an arm for it, or a `_`";
            found.push((constant, Change::new(Verdict::Minor, what).todo(todo)));
        }
    }
    found
}
