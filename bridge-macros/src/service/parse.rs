//! Reads an `impl` block: what it is for, and the annotated functions in it.
//!
//! Items without `#[bridge::rpc]` are skipped, whatever they are.
//!
//! Invariant: what is emitted differs from what came only between the parentheses of
//! `#[bridge::rpc(…)]`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute as SynAttribute, Generics, Meta, Path, Token, Type};

use crate::diag::{Code, Diag};
use crate::keys::{self, Place};
use crate::paths::Facade;
use crate::rpc::READ_BY_SERVICE;
use crate::rpc::attribute::{self, Attribute};
use crate::rpc::head::{self, Head};

const PLACE: Place = Place {
    attribute: "`#[bridge::service]`",
    keys: &["crate"],
    flags: &[],
    elsewhere: &[(
        "name",
        "a method has a name of its own; give it to its `#[bridge::rpc]`",
    )],
};

/// An annotated `impl` block.
pub(super) struct Service {
    pub(super) facade: Facade,
    /// Its `#[cfg(…)]`s, which what is added must share.
    pub(super) cfgs: Vec<SynAttribute>,
    pub(super) impl_token: Token![impl],
    pub(super) generics: Generics,
    pub(super) ty: Type,
    pub(super) methods: Vec<Method>,
}

/// One annotated function.
pub(super) struct Method {
    pub(super) attribute: Attribute,
    pub(super) head: Head,
}

/// Reads what stands under the attribute; nothing if that is no `impl` block of a type.
pub(super) fn service(diag: &Diag, attr: TokenStream, item: &TokenStream) -> Option<Service> {
    let mut facade = Facade::default();
    for entry in keys::entries(diag, &PLACE, keys::pieces(diag, attr)) {
        facade = entry.facade(diag).unwrap_or_default();
    }
    let read = |input: ParseStream<'_>| {
        let service = block(diag, facade, input)?;
        input.parse::<TokenStream>()?;
        Ok(service)
    };
    // What is no Rust is reported by the compiler, which reads the item once more.
    read.parse2(item.clone()).ok()?
}

fn block(diag: &Diag, facade: Facade, input: ParseStream<'_>) -> syn::Result<Option<Service>> {
    let attrs = input.call(SynAttribute::parse_outer)?;
    let text = "`#[bridge::service]` belongs on `impl Type { … }`";
    if !input.peek(Token![impl]) {
        let keyword: Option<TokenTree> = input.fork().parse().ok();
        diag.error(Code::ServiceNotAnImpl, keyword, text);
        return Ok(None);
    }
    let impl_token = input.parse()?;
    let mut generics: Generics = if input.peek(Token![<]) {
        input.parse()?
    } else {
        Generics::default()
    };
    let ty: Type = input.parse()?;
    if input.peek(Token![for]) {
        let text = format!("{text}, not on the implementation of a trait");
        diag.error(Code::ServiceNotAnImpl, &ty, text);
        return Ok(None);
    }
    generics.where_clause = input.parse()?;
    let body;
    syn::braced!(body in input);
    Ok(Some(Service {
        cfgs: attrs
            .into_iter()
            .filter(|it| it.path().is_ident("cfg"))
            .collect(),
        facade,
        impl_token,
        generics,
        ty,
        methods: methods(diag, &body)?,
    }))
}

fn methods(diag: &Diag, input: ParseStream<'_>) -> syn::Result<Vec<Method>> {
    let mut methods = Vec::new();
    input.call(SynAttribute::parse_inner)?;
    while !input.is_empty() {
        let attrs = input.fork().call(SynAttribute::parse_outer)?;
        let attr = attrs.iter().find(|it| is_rpc(it.path()));
        let ahead = input.fork();
        let head = match attr {
            Some(attr) => rpc_head(diag, attr, &ahead)?,
            None => None,
        };
        if let (Some(attr), Some(head)) = (attr, head) {
            let attribute = attribute::attribute(diag, arguments(attr));
            methods.push(Method { attribute, head });
        }
        skip_item(input)?;
    }
    Ok(methods)
}

fn rpc_head(diag: &Diag, attr: &SynAttribute, input: ParseStream<'_>) -> syn::Result<Option<Head>> {
    let head = head::head(input)?;
    if head.is_none() {
        let text = "`#[bridge::rpc]` belongs on a function";
        diag.error(Code::RpcNotAFunction, attr.path(), text);
    }
    Ok(head)
}

/// The attribute by its last word, as it may be imported under any path.
fn is_rpc(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident == "rpc")
}

fn arguments(attr: &SynAttribute) -> TokenStream {
    match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
    }
}

/// Everything up to the end of one item: a `;`, or the braces of a body. A constant may hold
/// braces before its `;`.
fn skip_item(input: ParseStream<'_>) -> syn::Result<()> {
    let mut is_value = false;
    let mut is_function = false;
    while !input.is_empty() {
        match input.parse()? {
            TokenTree::Ident(word) if word == "fn" => is_function = true,
            TokenTree::Punct(mark) if mark.as_char() == '=' && !is_function => is_value = true,
            TokenTree::Punct(mark) if mark.as_char() == ';' => break,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !is_value => break,
            _ => {}
        }
    }
    Ok(())
}

/// The item, with the attributes in it marked as read.
pub(super) fn marked(item: TokenStream) -> TokenStream {
    let in_block = |token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            regrouped(&group, mark_attributes(group.stream()))
        }
        token => token,
    };
    item.into_iter().map(in_block).collect()
}

fn mark_attributes(body: TokenStream) -> TokenStream {
    let mut after_hash = false;
    let marked = body.into_iter().map(|token| {
        let is_attribute = std::mem::take(&mut after_hash);
        match token {
            TokenTree::Group(group) if is_attribute => mark(&group).unwrap_or(group.into()),
            token => {
                after_hash = matches!(&token, TokenTree::Punct(it) if it.as_char() == '#');
                token
            }
        }
    });
    marked.collect()
}

/// `[bridge::rpc(…)]` with other arguments; nothing for any other attribute.
fn mark(group: &Group) -> Option<TokenTree> {
    let meta: Meta = syn::parse2(group.stream()).ok()?;
    let path = meta.path();
    let marker = Ident::new(READ_BY_SERVICE, Span::call_site());
    is_rpc(path).then(|| regrouped(group, quote!(#path(#marker)).into_token_stream()))
}

/// A group in the place of another one.
fn regrouped(group: &Group, content: TokenStream) -> TokenTree {
    let mut new = Group::new(group.delimiter(), content);
    new.set_span(group.span());
    new.into()
}
