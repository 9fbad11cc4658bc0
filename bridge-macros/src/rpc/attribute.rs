//! Reads the argument list of `#[bridge::rpc(…)]`, which has two forms.
//!
//! A handler of messages says at most some keys. An axum handler says its method and path first.
//! Which form is meant is told by what comes first, so that the keys of one can be explained in the
//! other.
//!
//! Invariant: names and literals are the user's own tokens.

use proc_macro2::{Ident, TokenStream};
use syn::LitStr;

use crate::diag::{Code, Diag};
use crate::duration::{self, Bounds};
use crate::keys::{self, Entry, Place};
use crate::paths::Facade;

const MESSAGES: Place = Place {
    attribute: "`#[bridge::rpc]`",
    keys: &["name", "idempotent_by", "idempotent_for", "crate"],
    flags: &["idempotent"],
    elsewhere: &[(
        "deadline",
        "a call brings its caller's deadline; it can be given only to an axum handler, \
         as `#[bridge::rpc(post, \"/path\", deadline = \"2s\")]`",
    )],
};
const HTTP: Place = Place {
    attribute: "`#[bridge::rpc(method, \"/path\")]`",
    keys: &[
        "name",
        "deadline",
        "idempotent_by",
        "idempotent_for",
        "crate",
    ],
    flags: &[],
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
}

/// Reads the list.
pub(crate) fn attribute(diag: &Diag, tokens: TokenStream) -> Attribute {
    let mut pieces = keys::pieces(tokens);
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
    attribute.deadline_ms =
        text("deadline").and_then(|given| duration::millis(diag, &given, &DEADLINE));
    let by = text("idempotent_by");
    let keep_ms = text("idempotent_for").and_then(|given| duration::millis(diag, &given, &KEPT));
    let [flag, by_key, keep] = ["idempotent", "idempotent_by", "idempotent_for"].map(find);
    idempotent_once(diag, flag, by_key, keep);
    if flag.is_some() || by_key.is_some() {
        attribute.idempotent = Some(Idempotent { by, keep_ms });
    }
    attribute
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
    let first = first.filter(|it| second.is_some() || is_method(it))?;
    pieces.remove(0);
    let method = method(diag, first);
    let next_is_key = pieces
        .first()
        .is_none_or(|it| it.clone().into_iter().nth(1).is_some());
    if second.is_some() || !next_is_key {
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

/// A path that comes first: its method is behind it or nowhere.
fn path_first(diag: &Diag, pieces: &mut Vec<TokenStream>, path: LitStr) -> Route {
    pieces.remove(0);
    let text = "write the method before the path, such as `post, \"/v1/orders\"`";
    diag.error(Code::HttpMethod, &path, text);
    let behind = pieces.first().map(|it| syn::parse2::<Ident>(it.clone()));
    if behind.is_some_and(|it| it.is_ok_and(|it| is_method(&it))) {
        pieces.remove(0);
    }
    Route {
        method: None,
        path: Some(path),
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
