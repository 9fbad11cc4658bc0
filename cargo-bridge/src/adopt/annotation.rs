//! Annotations of handlers: which are there, and what the operations of new ones are called.
//!
//! An operation is called as its handler, which documents of the whole application need to be told
//! apart: where two meet, those that are new get a name that says the module, too. An annotation
//! that is there is not changed.
//!
//! Invariant: no new operation has the name of another one.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenTree;
use syn::Attribute;

use super::handlers::METHODS;
use super::names::{Found, words};
use super::source::{FunctionId, Sources};

/// Whether a handler is annotated.
pub(super) fn is_annotated(sources: &Sources, id: FunctionId) -> bool {
    annotation(sources, id).is_some()
}

fn annotation(sources: &Sources, id: FunctionId) -> Option<&Attribute> {
    let function = &sources.functions[id];
    function.attributes.iter().find(|it| {
        let found = sources.resolve(function.module, &words(it.path()));
        matches!(found, Found::Outside(path) if path.ends_with(&["bridge".to_owned(), "rpc".to_owned()]))
    })
}

/// What the operations of these handlers are called: as they are annotated, or as they will be.
pub(super) fn operations(
    sources: &Sources,
    handlers: impl IntoIterator<Item = FunctionId>,
) -> BTreeMap<FunctionId, String> {
    let all = 0..sources.functions.len();
    let there: BTreeMap<FunctionId, String> = all
        .filter_map(|id| Some((id, said(sources, id)?)))
        .collect();
    let (mut known, mut new) = (BTreeMap::new(), Vec::new());
    for id in handlers {
        match there.get(&id) {
            Some(name) => drop(known.insert(id, name.clone())),
            None => new.push(id),
        }
    }
    let plain = |id: FunctionId| own_name(sources, id).to_owned();
    let mut counts = BTreeMap::<String, usize>::new();
    let names = there
        .values()
        .cloned()
        .chain(new.iter().map(|it| plain(*it)));
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let (alone, meeting): (Vec<_>, Vec<_>) =
        new.into_iter().partition(|it| counts[&plain(*it)] == 1);
    known.extend(alone.into_iter().map(|it| (it, plain(it))));
    let mut taken: BTreeSet<String> = counts.into_keys().collect();
    for id in meeting {
        let name = free(sources, id, &taken);
        taken.insert(name.clone());
        known.insert(id, name);
    }
    known
}

/// The name of an annotated operation over HTTP.
fn said(sources: &Sources, id: FunctionId) -> Option<String> {
    let syn::Meta::List(list) = &annotation(sources, id)?.meta else {
        return None;
    };
    let tokens: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
    let mut parts =
        tokens.split(|it| matches!(it, TokenTree::Punct(mark) if mark.as_char() == ','));
    let is_method = |it: &TokenTree| METHODS.iter().any(|verb| it.to_string() == *verb);
    if !matches!(parts.next(), Some([verb]) if is_method(verb)) {
        return None;
    }
    let given = parts.find_map(|part| match part {
        [TokenTree::Ident(key), _, TokenTree::Literal(value)] if key == "name" => {
            syn::parse_str::<syn::LitStr>(&value.to_string()).ok()
        }
        _ => None,
    });
    let own = || own_name(sources, id).to_owned();
    Some(given.map_or_else(own, |it| it.value()))
}

/// The handler with the modules around it, as many as it takes; then with a number.
fn free(sources: &Sources, id: FunctionId, taken: &BTreeSet<String>) -> String {
    let function = &sources.functions[id];
    let mut name = own_name(sources, id).to_owned();
    let mut around = Some(function.module);
    while let Some(module) = around {
        let module = &sources.modules[module];
        name = format!("{}_{name}", plain(&module.name));
        if !taken.contains(&name) {
            return name;
        }
        around = module.parent;
    }
    let mut numbered = (2_u64..).map(|it| format!("{name}_{it}"));
    numbered.find(|it| !taken.contains(it)).unwrap_or_default()
}

/// What an operation is called when its annotation does not say.
pub(super) fn own_name(sources: &Sources, id: FunctionId) -> &str {
    plain(&sources.functions[id].name)
}

fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}
