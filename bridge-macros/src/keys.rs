//! Reads `key = value, key = value`, the argument list of every attribute of ours.
//!
//! Decides which keys exist, never what a value means. A malformed entry does not hide the mistakes
//! of the entries after it.
//!
//! Invariant: each key is returned at most once, and only if the caller knows it.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Path, Token};

use crate::diag::{Code, Diag};
use crate::paths::Facade;

/// The place an attribute stands in, for its messages.
pub(crate) struct Place {
    /// The attribute as users write it, with backticks: the subject of a sentence.
    pub(crate) attribute: &'static str,
    /// Its keys, in the order in which the documentation lists them.
    pub(crate) keys: &'static [&'static str],
}

/// One `key = value` whose key is known and new.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    value: TokenStream,
}

/// Reads the entries of one attribute, or of several at the same place when `tokens` joins them.
pub(crate) fn entries(diag: &Diag, place: &Place, tokens: TokenStream) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for piece in split_at_commas(tokens) {
        let entry = match entry.parse2(piece.clone()) {
            Ok(entry) => entry,
            Err(_) => {
                let text = format!("write `key = value`; {}", place.describe());
                diag.error(Code::KeyMalformed, piece, text);
                continue;
            }
        };
        let key = entry.key.to_string();
        if !place.keys.contains(&key.as_str()) {
            let text = format!("unknown key `{key}`; {}", place.describe());
            diag.error(Code::KeyUnknown, &entry.key, text);
        } else if entries.iter().any(|earlier| earlier.key == entry.key) {
            let text = format!("key `{key}` is given twice; keep one");
            diag.error(Code::KeyTwice, &entry.key, text);
        } else {
            entries.push(entry);
        }
    }
    entries
}

impl Place {
    fn describe(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|key| format!("`{key}`")).collect();
        format!("{} takes {}", self.attribute, keys.join(" and "))
    }
}

impl Entry {
    /// The value as a string literal.
    pub(crate) fn text(&self, diag: &Diag) -> Option<LitStr> {
        let text = syn::parse2(self.value.clone());
        self.or_malformed(diag, text, "a string, such as `\"…\"`")
    }

    /// The value as the place where `bridge` is found.
    pub(crate) fn facade(&self, diag: &Diag) -> Option<Facade> {
        let path = Path::parse_mod_style.parse2(self.value.clone());
        let path = self.or_malformed(diag, path, "a path, such as `my_crate::bridge`")?;
        Some(Facade::at(&path))
    }

    fn or_malformed<T>(&self, diag: &Diag, parsed: syn::Result<T>, wanted: &str) -> Option<T> {
        if parsed.is_err() {
            let text = format!("key `{}` takes {wanted}", self.key);
            diag.error(Code::KeyMalformed, &self.value, text);
        }
        parsed.ok()
    }
}

fn entry(input: ParseStream<'_>) -> syn::Result<Entry> {
    let key = input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    if input.is_empty() {
        return Err(input.error("no value"));
    }
    let value = input.parse()?;
    Ok(Entry { key, value })
}

/// Values are literals and plain paths, so a comma outside brackets always ends an entry.
fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut pieces = Vec::new();
    let mut piece = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => {
                // An empty entry is reported at the comma that ends it.
                if piece.is_empty() {
                    piece.extend([TokenTree::from(comma)]);
                }
                pieces.push(std::mem::take(&mut piece));
            }
            token => piece.extend([token]),
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}
