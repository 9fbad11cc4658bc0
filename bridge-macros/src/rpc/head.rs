//! Reads the visibility and the signature of a function; what they mean is for the rules.
//!
//! Refuses only what has no signature to speak of. The body is skipped as one group of tokens.
//!
//! Invariant: every type and name in a [`Head`] is the user's own token, so a message about it is
//! underlined where the user wrote it.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericArgument, Ident, Lit, LitStr, Meta, PathArguments,
    Receiver, ReturnType, Signature, Token, Type, Visibility,
};

/// Everything of a function but its body.
pub(crate) struct Head {
    /// Its documentation, line by line.
    pub(crate) doc: Vec<String>,
    /// Its `#[cfg(…)]`s, which what is added must share.
    pub(crate) cfgs: Vec<Attribute>,
    /// Whether its author says that it may be unused.
    pub(crate) may_be_unused: bool,
    pub(crate) is_deprecated: bool,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) receiver: Option<Receiver>,
    pub(crate) args: Vec<Arg>,
    /// Whether it ends in a `;`, as functions of traits do.
    pub(crate) is_bodiless: bool,
}

/// One argument that is not `self`.
pub(crate) struct Arg {
    pub(crate) role: Role,
    /// As written in the signature.
    pub(crate) ty: Type,
    /// It has attributes of its own, so it may not be there.
    pub(crate) is_conditional: bool,
}

/// What an argument of a message handler is for, told by the last word of its type.
pub(crate) enum Role {
    /// `State<T>` with its `T`, or nothing where `T` is missing.
    State(Option<Box<Type>>),
    /// `Client<Contract>`.
    Client,
    Context,
    Message,
}

/// Reads attributes, visibility and signature, where there is a function.
pub(crate) fn head(input: ParseStream<'_>) -> syn::Result<Option<Head>> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    if !at_function(&input.fork())? {
        return Ok(None);
    }
    let sig: Signature = input.parse()?;
    let mut receiver = None;
    let mut args = Vec::new();
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(found) => receiver = Some(found.clone()),
            FnArg::Typed(arg) => args.push(Arg {
                role: role(&arg.ty),
                ty: Type::clone(&arg.ty),
                is_conditional: !arg.attrs.is_empty(),
            }),
        }
    }
    let is_cfg = |attr: &&Attribute| attr.path().is_ident("cfg");
    Ok(Some(Head {
        doc: attrs.iter().filter_map(doc_line).collect(),
        cfgs: attrs.iter().filter(is_cfg).cloned().collect(),
        may_be_unused: attrs.iter().any(allows_unused),
        is_deprecated: attrs.iter().any(|it| it.path().is_ident("deprecated")),
        vis,
        sig,
        receiver,
        args,
        is_bodiless: input.peek(Token![;]),
    }))
}

impl Head {
    /// The function's name.
    pub(crate) fn ident(&self) -> &Ident {
        &self.sig.ident
    }

    /// Whether it says that it stands in an `impl` or a trait; that it does not say so proves nothing.
    pub(crate) fn is_associated(&self) -> bool {
        self.receiver.is_some() || self.is_bodiless || mentions(&self.sig, "Self")
    }

    /// The documentation as one text.
    pub(crate) fn doc(&self) -> String {
        let lines = self
            .doc
            .iter()
            .map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }
}

fn doc_line(attr: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attr.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(line),
        ..
    }) = &pair.value
    else {
        return None;
    };
    pair.path.is_ident("doc").then(|| line.value())
}

/// Whether it is `allow` or `expect` of the lint of dead code, or of a group it is in.
fn allows_unused(attr: &Attribute) -> bool {
    let path = attr.path();
    (path.is_ident("allow") || path.is_ident("expect"))
        && (mentions(&attr.meta, "dead_code") || mentions(&attr.meta, "unused"))
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
    let Some(last) = last_segment(ty) else {
        return Role::Message;
    };
    let has_types = matches!(last.arguments, PathArguments::AngleBracketed(_));
    match last.ident.to_string().as_str() {
        "Context" => Role::Context,
        "Client" if has_types => Role::Client,
        "State" => Role::State(first_type(ty).map(|inner| Box::new(inner.clone()))),
        _ => Role::Message,
    }
}

/// The first type between the angle brackets of a type.
pub(crate) fn first_type(ty: &Type) -> Option<&Type> {
    let PathArguments::AngleBracketed(generics) = &last_segment(ty)?.arguments else {
        return None;
    };
    generics.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}

/// The last segment of a type that is a path.
pub(crate) fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    path_of(ty)?.segments.last()
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

/// The `X` of `impl Stream<Item = X>`, wherever in the type it stands: a stream may be boxed.
pub(crate) fn stream_item(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    item_binding(ty.to_token_stream(), false)
}

/// The type behind `Stream<Item =`, read token by token because it may be nested in anything.
fn item_binding(tokens: TokenStream, mut after_stream: bool) -> Option<Type> {
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "Stream" => after_stream = true,
            TokenTree::Ident(word) if after_stream && word == "Item" => {
                return binding_value(tokens);
            }
            TokenTree::Group(group) => {
                if let Some(found) = item_binding(group.stream(), after_stream) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    None
}

/// The type after `=`, up to the `>` or `,` that ends the list it stands in.
fn binding_value(mut tokens: impl Iterator<Item = TokenTree>) -> Option<Type> {
    let is_equals =
        |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == '=');
    tokens.next().filter(is_equals)?;
    let mut depth = 0_usize;
    let mut value = TokenStream::new();
    for token in tokens {
        if let TokenTree::Punct(punct) = &token {
            match (punct.as_char(), depth) {
                ('>' | ',', 0) => break,
                ('<', _) => depth += 1,
                ('>', _) => depth -= 1,
                _ => {}
            }
        }
        value.extend([token]);
    }
    syn::parse2(value).ok()
}

/// Whether `word` occurs anywhere in the tokens, also inside brackets.
pub(crate) fn mentions(tokens: impl ToTokens, word: &str) -> bool {
    tokens
        .to_token_stream()
        .into_iter()
        .any(|token| match token {
            TokenTree::Ident(ident) => ident == word,
            TokenTree::Group(group) => mentions(group.stream(), word),
            _ => false,
        })
}
