//! Reads `crate = path;` and the names after it.
//!
//! Skips an entry that is not a name, notes it, and goes on after the next comma.
//!
//! Invariant: one wrong entry gives one message, however many tokens it has.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Path, Token};

use crate::diag::{Code, Diag};
use crate::keys::{self, Place};
use crate::paths::Facade;

const PLACE: Place = Place {
    attribute: "`handlers!`",
    keys: &["crate"],
    flags: &[],
    elsewhere: &[],
};

/// The handlers as listed.
#[derive(Default)]
pub(super) struct List {
    pub(super) facade: Facade,
    pub(super) names: Vec<Path>,
}

pub(super) fn list(diag: &Diag, input: TokenStream) -> List {
    let read = |input: ParseStream<'_>| {
        let facade = facade(diag, input)?;
        let names = names(diag, input)?;
        Ok(List { facade, names })
    };
    read.parse2(input).unwrap_or_else(|error| {
        diag.syntax(
            Code::HandlersNotAPath,
            &error,
            format_args!("cannot read the list: {error}"),
        );
        List::default()
    })
}

/// `crate = path;` at the very beginning. A path may start with `crate` too, but not with `crate =`.
fn facade(diag: &Diag, input: ParseStream<'_>) -> syn::Result<Facade> {
    if !(input.peek(Token![crate]) && input.peek2(Token![=])) {
        return Ok(Facade::default());
    }
    let setting = tokens_until(input, ';')?;
    let entries = keys::entries(diag, &PLACE, keys::pieces(diag, setting));
    Ok(entries
        .first()
        .and_then(|entry| entry.facade(diag))
        .unwrap_or_default())
}

fn names(diag: &Diag, input: ParseStream<'_>) -> syn::Result<Vec<Path>> {
    let mut names = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        match ahead.call(Path::parse_mod_style) {
            Ok(name) if ahead.is_empty() || ahead.peek(Token![,]) => {
                tokens_until(input, ',')?;
                names.push(name);
            }
            _ => refuse(diag, input)?,
        }
    }
    Ok(names)
}

/// Skips one wrong entry. Its type arguments may hold commas, so they are read as part of a path.
fn refuse(diag: &Diag, input: ParseStream<'_>) -> syn::Result<()> {
    let mut entry = TokenStream::new();
    let ahead = input.fork();
    let mut generic = None;
    if ahead.parse::<Path>().is_ok() {
        let path: Path = input.parse()?;
        path.to_tokens(&mut entry);
        generic = without_types(path);
    }
    let rest = if entry.is_empty() && input.peek(Token![,]) {
        input.parse::<Token![,]>()?.to_token_stream()
    } else {
        tokens_until(input, ',')?
    };
    let is_attribute = entry.is_empty() && starts_with_hash(&rest);
    let generic = generic.filter(|_| rest.is_empty());
    entry.extend(rest);
    let by_name = "list handlers by name, such as `charge` or `orders::place`";
    let text = match generic {
        Some(name) => {
            format!("{by_name}; a generic one is listed once, without its types, as `{name}`")
        }
        None if is_attribute => {
            "a name in a list has no attribute; write a second list and put the \
                                 attribute above it, such as `#[cfg(…)] let list = \
                                 list.and(bridge::handlers![charge]);`"
                .to_owned()
        }
        None => by_name.to_owned(),
    };
    diag.error(Code::HandlersNotAPath, entry, text);
    Ok(())
}

/// A path as it is listed, if it has types.
fn without_types(path: Path) -> Option<String> {
    let has_types = path.segments.iter().any(|it| !it.arguments.is_none());
    let names = path.segments.iter().map(|it| it.ident.to_string());
    has_types.then(|| names.collect::<Vec<_>>().join("::"))
}

fn starts_with_hash(tokens: &TokenStream) -> bool {
    let first = tokens.clone().into_iter().next();
    matches!(first, Some(TokenTree::Punct(mark)) if mark.as_char() == '#')
}

/// The tokens before `end`, which is consumed too, or all that are left.
fn tokens_until(input: ParseStream<'_>, end: char) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() {
        match input.parse()? {
            TokenTree::Punct(punct) if punct.as_char() == end => break,
            token => tokens.extend([token]),
        }
    }
    Ok(tokens)
}
