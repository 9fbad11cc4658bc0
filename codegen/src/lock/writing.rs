//! `METHOD /path` as callers see it: names of parameters are written by nobody.
//!
//! Invariant: two routes are one when each request that finds the one finds the other.

use std::collections::BTreeMap;

use crate::http_path::{self, Variable};

/// A route of an OpenAPI document without the names of its parameters, and those names. A parameter
/// that spans segments is not one that does not.
pub(super) fn form(route: &str) -> (String, Vec<String>) {
    http_path::form(&route.replace("{*", "*{"))
}

/// A route whose parameters have no names: a contract writes `{name=shelves/*}` where a router
/// has `shelves/{id}`.
pub(super) fn without_names(route: &str) -> String {
    let (method, template) = route.split_once(' ').unwrap_or(("", route));
    let path = http_path::parse(template);
    let path = path.map_or_else(|_| template.to_owned(), |it| it.text);
    format!("{method} {}", http_path::form(&path).0)
}

/// The form of a route in a contract, in which `**` spans segments.
pub(super) fn form_in_contract(route: &str) -> (String, usize) {
    (without_names(route), route.matches("**").count())
}

/// The fields that the path of a route in a contract fills.
pub(super) fn variables(route: &str) -> Vec<Variable> {
    let template = route.split_once(' ').map_or(route, |(_, it)| it);
    http_path::parse(template).map_or_else(|_| Vec::new(), |it| it.variables)
}

/// What each route of `old` is called in `new`: as before, or in another writing of its form.
pub(super) fn partners<'r, V, F: Ord>(
    old: &'r BTreeMap<String, V>,
    new: &'r BTreeMap<String, V>,
    form: impl Fn(&str) -> F,
) -> BTreeMap<&'r String, &'r String> {
    let others = new.keys().filter(|name| !old.contains_key(*name));
    let others: BTreeMap<_, _> = others.map(|name| (form(name), name)).collect();
    let partner = |name: &String| match new.get_key_value(name) {
        Some((same, _)) => Some(same),
        None => others.get(&form(name)).copied(),
    };
    let names = old.keys().filter_map(|name| Some((name, partner(name)?)));
    names.collect()
}
