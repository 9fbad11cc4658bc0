//! The one rule of a list that words can decide: a handler is listed once.
//!
//! Two different handlers of one operation are found by the compiler, because what they serve is a
//! constant of theirs.
//!
//! Invariant: paths are compared as written; `a` and `self::a` are left to that constant.

use quote::ToTokens;

use crate::diag::{Code, Diag};

use super::parse::List;

pub(super) fn list(diag: &Diag, list: &List) {
    let written: Vec<String> = list
        .names
        .iter()
        .map(|name| name.to_token_stream().to_string())
        .collect();
    for (at, name) in list.names.iter().enumerate() {
        if written[..at].contains(&written[at]) {
            let text = "this handler is already in the list; remove one of them";
            diag.error(Code::HandlersTwice, name, text);
        }
    }
}
