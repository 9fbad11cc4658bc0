//! Compares expansions with the files in `tests/golden`, formatted as a person would read them.
//!
//! Run the tests with `UPDATE_GOLDEN=1` to write the files, then review them by eye.
//!
//! Invariant: a comparison never writes a file unless it was asked to.

use std::path::Path;

use proc_macro2::TokenStream;

/// The expansion as rustfmt would roughly lay it out.
pub(crate) fn pretty(items: TokenStream) -> String {
    let text = items.to_string();
    let file: syn::File = syn::parse2(items)
        .unwrap_or_else(|error| panic!("the expansion is no Rust: {error}\n{text}"));
    prettyplease::unparse(&file)
}

/// Asserts that the expansion is what `tests/golden/<name>.rs` holds.
pub(crate) fn check(name: &str, items: TokenStream) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{name}.rs"));
    let expanded = pretty(items);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &expanded).expect("tests/golden can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        expanded, golden,
        "{name}: rerun with UPDATE_GOLDEN=1 if the change is meant"
    );
}

/// The messages that an expansion reports, in order.
pub(crate) fn messages(expansion: TokenStream) -> Vec<String> {
    let mut messages = Vec::new();
    let mut after_compile_error = false;
    for token in expansion {
        match token {
            proc_macro2::TokenTree::Group(group) if after_compile_error => {
                let text: syn::LitStr = syn::parse2(group.stream()).expect("one string literal");
                messages.push(text.value());
                after_compile_error = false;
            }
            proc_macro2::TokenTree::Group(group) => messages.extend(self::messages(group.stream())),
            proc_macro2::TokenTree::Ident(word) => after_compile_error = word == "compile_error",
            _ => {}
        }
    }
    messages
}
