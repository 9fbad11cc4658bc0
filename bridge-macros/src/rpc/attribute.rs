//! Reads the argument list of `#[bridge::rpc(…)]`, which has two forms.
//!
//! A handler of messages says at most some keys. An axum handler says its method and path first.
//! Which form is meant is told by what comes first, so that the keys of one can be explained in the
//! other.
//!
//! Invariant: names and literals are the user's own tokens.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::LitStr;

use crate::diag::{Code, Diag};
use crate::duration::{self, Bounds};
use crate::keys::{self, Entry, Place};
use crate::paths::Facade;

const MESSAGES: Place = Place {
    attribute: "`#[bridge::rpc]`",
    keys: &["name", "idempotent_by", "idempotent_for", "crate"],
    flags: &["idempotent"],
    elsewhere: &[
        (
            "deadline",
            "a call brings its caller's deadline; it can be given only to an axum handler, \
             as `#[bridge::rpc(post, \"/path\", deadline = \"2s\")]`",
        ),
        (
            "idempotent_within",
            "headers that say whom a key belongs to are for an axum handler; with `idempotent` the \
             keys of each calling service are its own, and with `idempotent_by` a field names the \
             work for all callers",
        ),
    ],
};
const HTTP: Place = Place {
    attribute: "`#[bridge::rpc(method, \"/path\")]`",
    keys: &[
        "name",
        "tag",
        "deadline",
        "idempotent_by",
        "idempotent_for",
        "idempotent_within",
        "crate",
    ],
    flags: &["required"],
    elsewhere: &[(
        "idempotent",
        "over HTTP the key comes in a header; name it, as `idempotent_by = \"Idempotency-Key\"`",
    )],
};

/// The methods axum routes by, as its functions are called.
const METHODS: [&str; 9] = [
    "get", "post", "put", "patch", "delete", "head", "options", "trace", "connect",
];

const DEADLINE: Bounds = Bounds {
    what: "a deadline",
    least: "1ms",
    most: "24h",
};
const KEPT: Bounds = Bounds {
    what: "the time an outcome is kept",
    least: "1s",
    most: "30d",
};

/// What an attribute said.
#[derive(Default)]
pub(crate) struct Attribute {
    pub(crate) facade: Facade,
    /// Method and path, where the attribute begins with them.
    pub(crate) route: Option<Route>,
    pub(crate) name: Option<LitStr>,
    /// What documents file an axum handler under.
    pub(crate) tag: Option<LitStr>,
    pub(crate) deadline_ms: Option<u64>,
    pub(crate) idempotent: Option<Idempotent>,
}

/// What an axum handler is mounted at. What was wrong has been noted and is missing here.
pub(crate) struct Route {
    pub(crate) method: Option<Ident>,
    pub(crate) path: Option<LitStr>,
}

/// Which calls are the same call.
pub(crate) struct Idempotent {
    /// The header or the field with the key; without it the caller's own key counts.
    pub(crate) by: Option<LitStr>,
    pub(crate) keep_ms: Option<u64>,
    /// The headers that say whom a key belongs to.
    pub(crate) within: Option<LitStr>,
    /// Whether what comes without a key is refused.
    pub(crate) is_required: bool,
}

/// Reads the list.
pub(crate) fn attribute(diag: &Diag, tokens: TokenStream) -> Attribute {
    let mut pieces = keys::pieces(diag, tokens);
    let route = route(diag, &mut pieces);
    let place = if route.is_some() { &HTTP } else { &MESSAGES };
    let mut attribute = Attribute {
        route,
        ..Attribute::default()
    };
    let entries = keys::entries(diag, place, pieces);
    let find = |name: &str| entries.iter().find(|entry| entry.key == name);
    let text = |name: &str| find(name).and_then(|entry| entry.text(diag));
    if let Some(facade) = find("crate").and_then(|entry| entry.facade(diag)) {
        attribute.facade = facade;
    }
    attribute.name = text("name");
    attribute.tag = text("tag");
    attribute.deadline_ms =
        text("deadline").and_then(|given| duration::millis(diag, &given, &DEADLINE));
    attribute.idempotent = idempotent(diag, &entries);
    attribute
}

fn idempotent(diag: &Diag, entries: &[Entry]) -> Option<Idempotent> {
    let find = |name: &str| entries.iter().find(|entry| entry.key == name);
    let text = |name: &str| find(name).and_then(|entry| entry.text(diag));
    let given = Idempotent {
        by: text("idempotent_by"),
        keep_ms: text("idempotent_for").and_then(|given| duration::millis(diag, &given, &KEPT)),
        within: text("idempotent_within"),
        is_required: find("required").is_some(),
    };
    let [flag, by, keep] = ["idempotent", "idempotent_by", "idempotent_for"].map(find);
    idempotent_once(diag, flag, by, keep);
    for (name, says) in [
        ("required", "refuses requests without a key"),
        ("idempotent_within", "says whom keys belong to"),
    ] {
        if let (None, Some(entry)) = (by, find(name)) {
            let text = format!(
                "`{name}` {says}, and none is taken; add `idempotent_by = \"Idempotency-Key\"`"
            );
            diag.error(Code::RpcIdempotent, &entry.key, text);
        }
    }
    (flag.is_some() || by.is_some()).then_some(given)
}

fn idempotent_once(diag: &Diag, flag: Option<&Entry>, by: Option<&Entry>, keep: Option<&Entry>) {
    if let (Some(flag), Some(_)) = (flag, by) {
        let text = "`idempotent` takes the caller's key and `idempotent_by` a key of its own; \
                    keep one";
        diag.error(Code::RpcIdempotent, &flag.key, text);
    }
    if let (None, None, Some(keep)) = (flag, by, keep) {
        let text = "`idempotent_for` says how long outcomes are kept, and none is; \
                    add `idempotent_by = \"…\"`";
        diag.error(Code::RpcIdempotent, &keep.key, text);
    }
}

/// Takes method and path off the front, if either is there.
fn route(diag: &Diag, pieces: &mut Vec<TokenStream>) -> Option<Route> {
    let word = |at: usize| {
        pieces
            .get(at)
            .and_then(|it| syn::parse2::<Ident>(it.clone()).ok())
    };
    let text = |at: usize| {
        pieces
            .get(at)
            .and_then(|it| syn::parse2::<LitStr>(it.clone()).ok())
    };
    let (first, second) = (word(0), text(1));
    if let Some(path) = text(0) {
        return Some(path_first(diag, pieces, path));
    }
    if let Some(route) = misspelt(diag, pieces) {
        return Some(route);
    }
    let first = first.filter(|it| second.is_some() || is_method(it))?;
    pieces.remove(0);
    let method = method(diag, first);
    if second.is_some() || pieces.first().is_some_and(|it| key_of(it).is_none()) {
        let given = pieces.remove(0);
        if second.is_none() {
            let text = "the path is a string literal, such as `\"/v1/orders/{id}\"`";
            diag.error(Code::HttpPath, given, text);
        }
    } else {
        let text = "write the path after the method, such as `post, \"/v1/orders\"`";
        diag.error(Code::HttpPath, &method.at, text);
    }
    Some(Route {
        method: method.known,
        path: second,
    })
}

/// A path that comes first: its method is behind it or nowhere, or it is the method in quotes.
fn path_first(diag: &Diag, pieces: &mut Vec<TokenStream>, given: LitStr) -> Route {
    pieces.remove(0);
    let behind = pieces.first().cloned();
    let path = behind.clone().and_then(|it| syn::parse2::<LitStr>(it).ok());
    if let (Some(path), false) = (path, given.value().starts_with('/')) {
        pieces.remove(0);
        let text = "the method is written without quotes, such as `post, \"/v1/orders\"`";
        diag.error(Code::HttpMethod, given, text);
        return Route {
            method: None,
            path: Some(path),
        };
    }
    let text = "write the method before the path, such as `post, \"/v1/orders\"`";
    diag.error(Code::HttpMethod, &given, text);
    let behind = behind.map(syn::parse2::<Ident>);
    if behind.is_some_and(|it| it.is_ok_and(|it| is_method(&it))) {
        pieces.remove(0);
    }
    Route {
        method: None,
        path: Some(given),
    }
}

/// Method and path that are there, in a form that other attributes have: `post "/orders"`, or
/// `method = "post", path = "/orders"`.
fn misspelt(diag: &Diag, pieces: &mut Vec<TokenStream>) -> Option<Route> {
    let first = pieces.first()?.clone();
    let mut tokens = first.clone().into_iter();
    if let (Some(TokenTree::Ident(word)), Some(TokenTree::Literal(path)), None) =
        (tokens.next(), tokens.next(), tokens.next())
        && is_method(&word)
    {
        pieces.remove(0);
        let text = "write a comma between method and path, such as `post, \"/v1/orders\"`";
        diag.error(Code::HttpMethod, first, text);
        let path = syn::parse2(TokenTree::from(path).into()).ok();
        return Some(Route { method: None, path });
    }
    let is_named =
        |it: &TokenStream| key_of(it).is_some_and(|key| key == "method" || key == "path");
    let named = pieces.iter().find(|it| is_named(it))?.clone();
    pieces.retain(|it| !is_named(it));
    let text = "method and path come first and without keys, such as `post, \"/v1/orders\"`";
    diag.error(Code::HttpMethod, named, text);
    Some(Route {
        method: None,
        path: None,
    })
}

/// The word before a `=`.
fn key_of(piece: &TokenStream) -> Option<Ident> {
    let mut tokens = piece.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(key)), Some(TokenTree::Punct(mark))) if mark.as_char() == '=' => {
            Some(key)
        }
        _ => None,
    }
}

struct Method {
    at: Ident,
    known: Option<Ident>,
}

fn is_method(word: &Ident) -> bool {
    METHODS.contains(&word.to_string().to_ascii_lowercase().as_str())
}

fn method(diag: &Diag, at: Ident) -> Method {
    let written = at.to_string();
    let lower = written.to_ascii_lowercase();
    if METHODS.contains(&written.as_str()) {
        let known = Some(at.clone());
        return Method { at, known };
    }
    let text = if METHODS.contains(&lower.as_str()) {
        format!("write `{lower}`, as axum's function is called")
    } else if lower == "any" {
        "an operation has one method; write which, such as `post`".to_owned()
    } else {
        format!(
            "`{written}` is no HTTP method; write one of {}",
            METHODS.join(", ")
        )
    };
    diag.error(Code::HttpMethod, &at, text);
    Method { at, known: None }
}
