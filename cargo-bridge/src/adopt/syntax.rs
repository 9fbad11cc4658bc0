//! Small questions to the syntax tree: conditions, tests, literals, the names of a `use`.
//!
//! Decides nothing about the program; says what is written.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Expr, Item, UseTree};

/// The names that a `use` makes, each with its path; a glob makes none.
pub(super) fn flatten(
    tree: &UseTree,
    mut path: Vec<String>,
    found: &mut Vec<(Option<String>, Vec<String>)>,
) {
    match tree {
        UseTree::Path(it) => {
            path.push(it.ident.to_string());
            flatten(&it.tree, path, found);
        }
        UseTree::Name(it) if it.ident == "self" => found.push((path.last().cloned(), path)),
        UseTree::Name(it) => {
            path.push(it.ident.to_string());
            found.push((path.last().cloned(), path));
        }
        UseTree::Rename(it) => {
            if it.ident != "self" {
                path.push(it.ident.to_string());
            }
            found.push((Some(it.rename.to_string()), path));
        }
        UseTree::Glob(_) => found.push((None, path)),
        UseTree::Group(it) => {
            for tree in &it.items {
                flatten(tree, path.clone(), found);
            }
        }
    }
}

/// The expressions in a macro's brackets, as far as they are between marks that end one: the
/// arguments of `join!`, the futures and the blocks of `select!`.
pub(super) fn expressions(call: &syn::Macro) -> Vec<Expr> {
    let (mut found, mut piece) = (Vec::new(), Vec::new());
    for token in call.tokens.clone() {
        let mark = match &token {
            TokenTree::Punct(mark) => Some(mark.as_char()),
            _ => None,
        };
        let is_arrow = mark == Some('>') && piece.is_empty();
        if is_arrow || matches!(mark, Some(',' | ';' | '=')) {
            found.extend(syn::parse2(TokenStream::from_iter(piece.drain(..))));
        } else {
            piece.push(token);
        }
    }
    found.extend(syn::parse2(TokenStream::from_iter(piece)));
    found
}

/// The text of a string literal.
pub(super) fn text_of(expression: &syn::Expr) -> Option<String> {
    match expression {
        syn::Expr::Lit(it) => match &it.lit {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        syn::Expr::Group(it) => text_of(&it.expr),
        syn::Expr::Reference(it) => text_of(&it.expr),
        _ => None,
    }
}

/// The path of `#[typed_path("/orders/{id}")]`.
pub(super) fn typed_path(attributes: &[Attribute]) -> Option<String> {
    let found = attributes
        .iter()
        .find(|it| it.path().is_ident("typed_path"))?;
    let syn::Meta::List(list) = &found.meta else {
        return None;
    };
    // More may follow, such as `rejection(Refused)`.
    let path = match list.tokens.clone().into_iter().next()? {
        TokenTree::Literal(path) => path.to_string(),
        _ => return None,
    };
    Some(syn::parse_str::<syn::LitStr>(&path).ok()?.value())
}

/// The bytes of a byte order mark and of a `#!` line, which the parser is not shown.
pub(super) fn prelude(text: &str) -> usize {
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    let rest = &text[mark..];
    let is_shebang = rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[');
    match rest.find('\n').filter(|_| is_shebang) {
        Some(end) => mark + end,
        None => mark,
    }
}

pub(super) fn is_conditional(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| it.path().is_ident("cfg"))
}

/// `#[test]`, `#[tokio::test]`, or something that only tests have.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| {
        let last = it.path().segments.last();
        let is_test = last.is_some_and(|last| last.ident == "test");
        is_test || (it.path().is_ident("cfg") && is_only_for_tests(it))
    })
}

fn is_only_for_tests(attribute: &Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else {
        return false;
    };
    let text = list.tokens.to_string();
    text == "test"
        || (text.starts_with("all") && text.split(['(', ',', ')', ' ']).any(|it| it == "test"))
}

pub(super) fn is_test_module(item: &Item) -> bool {
    matches!(item, Item::Mod(item) if is_test(&item.attrs))
}
