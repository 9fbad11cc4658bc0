//! Differences between the HTTP forms of one rpc.
//!
//! Each is told with its route: who calls the rpc itself, or another form of it, notices nothing.

use std::collections::BTreeSet;

use super::change::Breaks::{Http, Json};
use super::change::{Change, Verdict};
use super::model::{Lock, Rpc};
use super::writing::{form_in_contract, partners, variables};

/// Every difference of the rpc called `name`, accepted and present, each with its accepted route.
pub(super) fn compare(
    name: &str,
    [old, new]: [&Rpc; 2],
    [accepted, present]: [&Lock; 2],
) -> Vec<(String, Change)> {
    let mut found = Vec::new();
    let partners = partners(&old.http, &new.http, form_in_contract);
    for (route, before) in &old.http {
        let Some(other) = partners.get(route) else {
            let what = format!("rpc `{name}` is not at `{route}` any more");
            let todo = "keep it as one of the `additional_bindings`";
            found.push((route.clone(), Change::major(&[Http], what).todo(todo)));
            continue;
        };
        if *other != route {
            let fills = [(accepted, old, route), (present, new, *other)]
                .map(|(lock, rpc, route)| filled(lock, rpc, route));
            found.push((route.clone(), rewritten(name, [route, other], fills)));
        }
        if new.http[*other] != *before {
            let what = format!("rpc `{name}` at `{route}` has another body");
            let todo = "add a binding with a path of its own, and keep this one";
            found.push((route.clone(), Change::major(&[Http, Json], what).todo(todo)));
        }
    }
    let known: BTreeSet<_> = partners.values().collect();
    for route in new.http.keys().filter(|route| !known.contains(route)) {
        let what = format!("rpc `{name}` is at `{route}` too");
        found.push((route.clone(), Change::new(Verdict::Minor, what)));
    }
    found
}

/// What a path fills, each as the numbers of the fields that lead there, or as it is called where
/// no message has them.
type Filled = Vec<Result<Vec<u32>, String>>;

fn rewritten(name: &str, [route, other]: [&str; 2], [before, now]: [Filled; 2]) -> Change {
    if before == now {
        let what = format!("rpc `{name}` at `{route}` is written `{other}` now");
        return Change::new(Verdict::Patch, what);
    }
    let what = format!("rpc `{name}` at `{route}` fills other fields as `{other}`");
    let todo = "keep the fields that the path fills; what callers write there means them";
    Change::major(&[Http], what).todo(todo)
}

fn filled(lock: &Lock, rpc: &Rpc, route: &str) -> Filled {
    let variables = variables(route);
    let all = variables.into_iter();
    all.map(|it| numbers(lock, &rpc.input, &it.field).ok_or(it.field))
        .collect()
}

fn numbers(lock: &Lock, message: &str, path: &str) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    let mut inside = Some(message);
    for name in path.split('.') {
        let fields = &lock.messages.get(inside?)?.fields;
        let (number, field) = fields.iter().find(|(_, it)| it.name == name)?;
        found.push(*number);
        inside = field.ty.name();
    }
    Some(found)
}
