//! Reads `key = value, flag, key = value`, the argument list of every attribute of ours.
//!
//! Decides which keys exist, never what a value means. A malformed entry does not hide the mistakes
//! of the entries after it.
//!
//! Invariant: each key is returned at most once, and only if the caller knows it.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{LitInt, LitStr, Path, Token};

use crate::diag::{Code, Diag};
use crate::paths::Facade;

/// The place an attribute stands in, for its messages.
pub(crate) struct Place {
    /// The attribute as users write it, with backticks: the subject of a sentence.
    pub(crate) attribute: &'static str,
    /// Its keys, in the order in which the documentation lists them.
    pub(crate) keys: &'static [&'static str],
    /// Its keys that have no value, likewise.
    pub(crate) flags: &'static [&'static str],
    /// Keys that exist in another place, and what to do here instead.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// One `key = value`, or a flag, whose key is known and new.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    value: TokenStream,
}

/// Reads the entries of one attribute, or of several at the same place when `pieces` joins them.
pub(crate) fn entries(diag: &Diag, place: &Place, pieces: Vec<TokenStream>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for piece in pieces {
        let Ok((key, value)) = entry.parse2(piece.clone()) else {
            let text = format!("write `key = value`; {}", place.describe());
            diag.error(Code::KeyMalformed, piece, text);
            continue;
        };
        let name = key.to_string();
        if let Some((_, advice)) = place.elsewhere.iter().find(|(it, _)| name == *it) {
            diag.error(
                Code::KeyOfOtherForm,
                &key,
                format!("key `{name}`: {advice}"),
            );
        } else if !place.knows(&name) {
            let text = format!("unknown key `{name}`; {}", place.describe());
            diag.error(Code::KeyUnknown, &key, text);
        } else if value.is_some() == place.flags.contains(&&*name) {
            let wanted = if value.is_some() {
                "no value"
            } else {
                "a value"
            };
            diag.error(
                Code::KeyMalformed,
                piece,
                format!("key `{name}` takes {wanted}"),
            );
        } else if entries.iter().any(|earlier| earlier.key == key) {
            let text = format!("key `{name}` is given twice; keep one");
            diag.error(Code::KeyTwice, &key, text);
        } else {
            let value = value.unwrap_or_default();
            entries.push(Entry { key, value });
        }
    }
    entries
}

impl Place {
    fn knows(&self, key: &str) -> bool {
        self.keys.contains(&key) || self.flags.contains(&key)
    }

    fn describe(&self) -> String {
        let known = self.flags.iter().chain(self.keys);
        let mut known: Vec<String> = known.map(|key| format!("`{key}`")).collect();
        let last = known.pop().unwrap_or_default();
        if known.is_empty() {
            return format!("{} takes {last}", self.attribute);
        }
        format!("{} takes {} and {last}", self.attribute, known.join(", "))
    }
}

impl Entry {
    /// The value as a string literal.
    pub(crate) fn text(&self, diag: &Diag) -> Option<LitStr> {
        let text = syn::parse2(self.value.clone());
        self.or_malformed(diag, text, "a string, such as `\"…\"`")
    }

    /// The value as a number without a suffix.
    pub(crate) fn number(&self, diag: &Diag) -> Option<LitInt> {
        let number = syn::parse2::<LitInt>(self.value.clone());
        let number = number.and_then(|it| it.base10_parse::<u64>().map(|_| it));
        self.or_malformed(diag, number, "a number, such as `409`")
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

/// A key, and its value if it has one.
fn entry(input: ParseStream<'_>) -> syn::Result<(Ident, Option<TokenStream>)> {
    let key = input.call(Ident::parse_any)?;
    if input.is_empty() {
        return Ok((key, None));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() {
        return Err(input.error("no value"));
    }
    Ok((key, Some(input.parse()?)))
}

/// Cuts a list at its commas. Values are literals and plain paths, so a comma outside brackets
/// always ends an entry; and a `;` is meant as one, or it would spoil the entry before it.
pub(crate) fn pieces(diag: &Diag, tokens: TokenStream) -> Vec<TokenStream> {
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
            TokenTree::Punct(mark) if mark.as_char() == ';' => {
                let text = "a comma is between what an attribute takes; write `,` instead of `;`";
                diag.error(Code::KeyMalformed, mark, text);
                pieces.extend(Some(std::mem::take(&mut piece)).filter(|it| !it.is_empty()));
            }
            token => piece.extend([token]),
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}
