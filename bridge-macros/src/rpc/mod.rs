//! `#[bridge::rpc]`: an ordinary function becomes an operation that `handlers!` can list.
//!
//! ```text
//!  attribute ─┬─ no path ─▶ check ─▶ expand          a handler of messages
//!             └─ a path ──▶ http::check ─▶ http::expand   an axum handler
//! ```
//!
//! Reads the attribute and the signature, never the body: a half-typed body must keep completion
//! alive. Emits the item as it came, then a type of the same name (functions and types do not share
//! a namespace, and `use orders::place` imports both) that carries the operation.
//!
//! Invariant: the item comes first and token for token, whatever else happens.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};

use crate::diag::{Code, Diag};

use self::attribute::Attribute;
use self::head::Head;

pub(crate) mod attribute;
pub(crate) mod head;
pub(crate) mod place;
pub(crate) mod check;
pub(crate) mod expand;
mod http;
#[cfg(test)]
pub(crate) mod tests;

/// What `#[bridge::service]` writes into the attributes below it: they have been read already.
pub(crate) const READ_BY_SERVICE: &str = "__read_by_service";

pub(crate) fn rpc(attr: TokenStream, item: TokenStream) -> TokenStream {
    if is_read(&attr) {
        return item;
    }
    let diag = Diag::default();
    let attribute = attribute::attribute(&diag, attr);
    // What is no Rust is reported by the compiler, which reads the item once more.
    let head = read(&diag, &item);
    let added = head
        .as_ref()
        .and_then(|head| added(&diag, &attribute, head));
    let added = match (diag.finish(), &head, added) {
        (Ok(()), _, Some(added)) => added,
        (Err(errors), Some(head), _) => expand::refused(&attribute.facade, head, &errors),
        (Err(errors), None, _) => errors.to_compile_error(),
        (Ok(()), _, None) => TokenStream::new(),
    };
    // Joined, not quoted: quoting would take it apart and put it together once more.
    let mut out = item;
    out.extend([added]);
    out
}

fn added(diag: &Diag, attribute: &Attribute, head: &Head) -> Option<TokenStream> {
    if let Some(route) = &attribute.route {
        let operation = http::check::handler(diag, attribute, route, head)?;
        return Some(http::expand::operation(attribute, head, &operation));
    }
    if !crate::HAS_MESH {
        let text = "a handler of messages needs feature `mesh` of `bridge`: take `default-features = false` out of \
                    its line in Cargo.toml; or write `#[bridge::rpc(get, \"/path\")]` above an axum handler";
        diag.error(Code::RpcMesh, head.ident(), text);
        return None;
    }
    let operation = check::handler(diag, attribute, head, check::Home::Module)?;
    Some(expand::operation(attribute, head, &operation))
}

fn is_read(attr: &TokenStream) -> bool {
    let first = attr.clone().into_iter().next();
    matches!(first, Some(TokenTree::Ident(word)) if word == READ_BY_SERVICE)
}

/// What comes before the body. The parser opens every group it is given, so it is not given the
/// one that is as long as the function.
fn without_body(item: &TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let is_body = |it: &mut TokenTree| matches!(it, TokenTree::Group(it) if it.delimiter() == Delimiter::Brace);
    tokens.pop_if(is_body);
    tokens.into_iter().collect()
}

/// Visibility and signature, where there is a function; the rest of the item is left unread.
fn read(diag: &Diag, item: &TokenStream) -> Option<Head> {
    let read = |input: ParseStream<'_>| {
        let found = head::head(input)?;
        if found.is_none() {
            let keyword: Option<TokenTree> = input.fork().parse().ok();
            let text = "`#[bridge::rpc]` belongs on an `async fn`";
            diag.error(Code::RpcNotAFunction, keyword, text);
        }
        input.parse::<TokenStream>()?;
        Ok(found)
    };
    read.parse2(without_body(item)).ok()?
}
