//! Which handlers a method router is made of: `get(list).post(place)`, `on(…)`, `any(…)`, `routes!(…)`.
//!
//! Tells handlers that can be annotated from what cannot, with the reason. A name is followed to a
//! function of the workspace; nothing is guessed from its letters.
//!
//! Invariant: everything that is mounted is told, whether it can be annotated or not.

use std::collections::HashMap;

use proc_macro2::TokenTree;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Expr, Token};

use super::mount::{ANY, Mount, Place, Target, Value};
use super::names::{Found, words};
use super::source::{FileId, FunctionId, ModuleId, Sources};

/// The functions of `axum::routing` for one method, and the methods of the same names.
pub(super) const METHODS: [&str; 9] = [
    "get", "post", "put", "patch", "delete", "head", "options", "trace", "connect",
];
const CLOSURE: &str = "a closure: give it a name, as a function of its own";
const VALUE: &str = "a value that is made while the program runs";
const METHOD: &str = "a method: make it a free function that takes what it needs as `State`";
const INNER: &str = "a function inside of a function, which no list can name: move it out";
const UNKNOWN: &str = "a function that is not found in the source of this workspace";
const SERVICE: &str = "a service, not a handler";

/// Where a method router is made.
pub(super) struct Handlers<'a> {
    pub(super) sources: &'a Sources,
    /// Functions of `impl` blocks by name.
    pub(super) methods: &'a HashMap<&'a str, Vec<FunctionId>>,
    pub(super) module: ModuleId,
    pub(super) file: FileId,
    pub(super) variables: &'a HashMap<String, Value>,
}

impl Handlers<'_> {
    /// The handlers that `get(handler)` and its like mount, if it is one of those.
    pub(super) fn answers(
        &self,
        name: &str,
        arguments: &Punctuated<Expr, Token![,]>,
    ) -> Option<Vec<Mount>> {
        let plain = name.strip_suffix("_service").unwrap_or(name);
        let plain = plain.strip_suffix("_with").unwrap_or(plain);
        let (verbs, handler) = match (plain, arguments.len()) {
            ("on", 2) => (filtered(&arguments[0]), &arguments[1]),
            ("any", 1) => (vec![ANY.to_owned()], &arguments[0]),
            // The `…_with` are of crates that document routes where they are mounted.
            (it, 1 | 2) => {
                let verb = METHODS.iter().find(|verb| it == **verb)?;
                (vec![verb.to_ascii_uppercase()], &arguments[0])
            }
            _ => return None,
        };
        let target = match name.ends_with("_service") {
            false => self.target(handler),
            true => Target::Other(SERVICE),
        };
        let at = self.sources.range(self.file, handler.span()).start;
        let place = Place {
            file: self.file,
            at,
        };
        let mounts = verbs.into_iter().map(|verb| Mount {
            verb,
            path: None,
            is_whole: false,
            target: target.clone(),
            place,
        });
        Some(mounts.collect())
    }

    /// The routes of `routes!(list, place)` of utoipa-axum, which stand at the handlers.
    pub(super) fn documented(&self, list: &syn::Macro) -> Vec<Mount> {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let Ok(handlers) = list.parse_body_with(parser) else {
            return Vec::new();
        };
        let mut mounts = Vec::new();
        for handler in &handlers {
            let target = self.target(handler);
            let Target::Function(id) = target else {
                continue;
            };
            let Some((verb, path)) = documented_at(&self.sources.functions[id].attributes) else {
                continue;
            };
            let at = self.sources.range(self.file, handler.span()).start;
            mounts.push(Mount {
                verb,
                path: Some(path),
                is_whole: true,
                target,
                place: Place {
                    file: self.file,
                    at,
                },
            });
        }
        mounts
    }

    /// The route of `typed_get(handler)` of axum-extra: the path stands at the type that the handler
    /// takes first.
    pub(super) fn typed(
        &self,
        name: &str,
        arguments: &Punctuated<Expr, Token![,]>,
    ) -> Option<Vec<Mount>> {
        let mut mounts = self.answers(name.strip_prefix("typed_")?, arguments)?;
        for mount in &mut mounts {
            mount.path = match mount.target {
                Target::Function(id) => self.path_of_type(id),
                Target::Other(_) => None,
            };
            mount.is_whole = mount.path.is_some();
        }
        Some(mounts)
    }

    fn path_of_type(&self, handler: FunctionId) -> Option<String> {
        let handler = &self.sources.functions[handler];
        let path = words(handler.first_type.as_ref()?);
        match self.sources.resolve(handler.module, &path) {
            Found::Text(text) => Some(text),
            _ => None,
        }
    }

    fn target(&self, handler: &Expr) -> Target {
        match handler {
            Expr::Paren(it) => self.target(&it.expr),
            Expr::Group(it) => self.target(&it.expr),
            Expr::Closure(_) => Target::Other(CLOSURE),
            // `handler.layer(…)`
            Expr::MethodCall(it) => self.target(&it.receiver),
            Expr::Path(it) => {
                let path = words(&it.path);
                match self.sources.resolve(self.module, &path) {
                    Found::Function(id) => Target::Function(id),
                    Found::Outside(_) if path.first().is_some_and(|it| it == "Self") => {
                        Target::Other(METHOD)
                    }
                    Found::Outside(path) => self.unknown(&path),
                    _ => Target::Other(UNKNOWN),
                }
            }
            _ => Target::Other(VALUE),
        }
    }

    fn unknown(&self, path: &[String]) -> Target {
        let name = path.last().map(String::as_str).unwrap_or_default();
        let is_type = |it: &String| it.starts_with(char::is_uppercase);
        let is_of_type = path.iter().rev().nth(1).is_some_and(is_type);
        Target::Other(match path {
            [name] if self.variables.contains_key(name) => VALUE,
            [name] if self.sources.modules[self.module].inner.contains(name) => INNER,
            _ if is_of_type && self.methods.contains_key(name) => METHOD,
            _ => UNKNOWN,
        })
    }
}

/// Method and path of `#[utoipa::path(get, path = "/orders")]`.
fn documented_at(attributes: &[syn::Attribute]) -> Option<(String, String)> {
    let is_path = |it: &&syn::Attribute| {
        let words = words(it.path());
        matches!(&words[..], [.., before, last] if before == "utoipa" && last == "path")
    };
    let syn::Meta::List(list) = &attributes.iter().find(is_path)?.meta else {
        return None;
    };
    let tokens: Vec<_> = list.tokens.clone().into_iter().collect();
    let parts = tokens.split(|it| matches!(it, TokenTree::Punct(mark) if mark.as_char() == ','));
    let (mut verb, mut path) = (None, None);
    for part in parts {
        match part {
            [TokenTree::Ident(word)] if METHODS.contains(&word.to_string().as_str()) => {
                verb = Some(word.to_string().to_ascii_uppercase());
            }
            [TokenTree::Ident(key), _, TokenTree::Literal(value)] if key == "path" => {
                path = syn::parse_str::<syn::LitStr>(&value.to_string()).ok();
            }
            _ => {}
        }
    }
    Some((verb?, path?.value()))
}

/// The methods of `MethodFilter::GET.or(MethodFilter::POST)`.
fn filtered(expression: &Expr) -> Vec<String> {
    match expression {
        Expr::Path(it) => it
            .path
            .segments
            .last()
            .map(|it| it.ident.to_string())
            .into_iter()
            .collect(),
        Expr::MethodCall(it) => {
            let mut all = filtered(&it.receiver);
            all.extend(it.args.iter().flat_map(filtered));
            all
        }
        Expr::Binary(it) => {
            let mut all = filtered(&it.left);
            all.extend(filtered(&it.right));
            all
        }
        _ => Vec::new(),
    }
}
