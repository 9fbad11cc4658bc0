//! Reads the attribute and the signature into a [`Handler`]; what they mean is for `check`.
//!
//! Refuses only what has no signature to speak of. The body is skipped as one group of tokens.
//!
//! Invariant: every type and name in a [`Handler`] is the user's own token, so a message about it is
//! underlined where the user wrote it.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, FnArg, GenericArgument, LitStr, PathArguments, Receiver, Signature, Token, Type,
    Visibility,
};

use crate::diag::{Code, Diag};
use crate::keys::{self, Place};
use crate::paths::Facade;

const PLACE: Place = Place {
    attribute: "`#[bridge::rpc]`",
    keys: &["name", "crate"],
};

/// An annotated function: its attribute's keys and its signature.
pub(super) struct Handler {
    pub(super) facade: Facade,
    pub(super) name: Option<LitStr>,
    pub(super) vis: Visibility,
    pub(super) sig: Signature,
    pub(super) receiver: Option<Receiver>,
    pub(super) args: Vec<Arg>,
}

/// One argument that is not `self`.
pub(super) struct Arg {
    pub(super) role: Role,
    /// As written in the signature.
    pub(super) ty: Type,
}

/// What an argument is for, told by the last word of its type.
pub(super) enum Role {
    /// `State<T>` with its `T`, or nothing where `T` is missing.
    State(Option<Box<Type>>),
    Context,
    Message,
}

/// Reads what stands under the attribute; nothing if that is no function.
pub(super) fn handler(diag: &Diag, attr: TokenStream, item: &TokenStream) -> Option<Handler> {
    let (facade, name) = options(diag, attr);
    let read = |input: ParseStream<'_>| head(diag, input);
    // What is no Rust is reported by the compiler, which reads the item once more.
    let (vis, sig) = read.parse2(item.clone()).ok()??;
    let mut receiver = None;
    let mut args = Vec::new();
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(found) => receiver = Some(found.clone()),
            FnArg::Typed(arg) => {
                args.push(Arg {
                    role: role(&arg.ty),
                    ty: Type::clone(&arg.ty),
                });
            }
        }
    }
    Some(Handler {
        facade,
        name,
        vis,
        sig,
        receiver,
        args,
    })
}

fn options(diag: &Diag, attr: TokenStream) -> (Facade, Option<LitStr>) {
    let mut facade = Facade::default();
    let mut name = None;
    for entry in keys::entries(diag, &PLACE, attr) {
        if entry.key == "crate" {
            facade = entry.facade(diag).unwrap_or_default();
        } else {
            name = entry.text(diag);
        }
    }
    (facade, name)
}

/// Visibility and signature, where there is a function; the rest of the item is left unread.
fn head(diag: &Diag, input: ParseStream<'_>) -> syn::Result<Option<(Visibility, Signature)>> {
    input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let head = if at_function(&input.fork())? {
        Some((vis, input.parse()?))
    } else {
        let keyword: Option<TokenTree> = input.fork().parse().ok();
        let text = "`#[bridge::rpc]` belongs on an `async fn`";
        diag.error(Code::RpcNotAFunction, keyword, text);
        None
    };
    input.parse::<TokenStream>()?;
    Ok(head)
}

/// Tells `const fn` from `const F: fn()`, so that a message names the right mistake.
fn at_function(ahead: ParseStream<'_>) -> syn::Result<bool> {
    let at_qualifier = || {
        ahead.peek(Token![const])
            || ahead.peek(Token![async])
            || ahead.peek(Token![unsafe])
            || ahead.peek(Token![extern])
            || ahead.peek(LitStr)
    };
    while at_qualifier() {
        ahead.parse::<TokenTree>()?;
    }
    Ok(ahead.peek(Token![fn]))
}

fn role(ty: &Type) -> Role {
    let Some(last) = path_of(ty).and_then(|path| path.segments.last()) else {
        return Role::Message;
    };
    if last.ident == "Context" {
        return Role::Context;
    }
    if last.ident != "State" {
        return Role::Message;
    }
    let PathArguments::AngleBracketed(generics) = &last.arguments else {
        return Role::State(None);
    };
    Role::State(generics.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(Box::new(inner.clone())),
        _ => None,
    }))
}

/// The path below references and the invisible groups that `macro_rules!` puts around a type: a
/// `&Context` is a context written wrong, not a second message.
fn path_of(ty: &Type) -> Option<&syn::Path> {
    match ty {
        Type::Path(path) => Some(&path.path),
        Type::Reference(reference) => path_of(&reference.elem),
        Type::Group(group) => path_of(&group.elem),
        Type::Paren(paren) => path_of(&paren.elem),
        _ => None,
    }
}

/// Whether `word` occurs anywhere in the tokens, also inside brackets.
pub(super) fn mentions(tokens: impl ToTokens, word: &str) -> bool {
    tokens
        .to_token_stream()
        .into_iter()
        .any(|token| match token {
            TokenTree::Ident(ident) => ident == word,
            TokenTree::Group(group) => mentions(group.stream(), word),
            _ => false,
        })
}
