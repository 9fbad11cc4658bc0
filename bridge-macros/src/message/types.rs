//! Types that are spelt like something that no message can hold, and what to take instead.
//!
//! Looks at spellings only: a type that nothing is known of is left to the traits. Invariant: one
//! type, one word.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type};

use crate::diag::{Code, Diag};

/// Names of types, and what to write instead of one.
const INSTEAD: [(&[&str], &str); 9] = [
    (&["u8", "u16"], "write `u32`, or `Vec<u8>` for bytes"),
    (&["i8", "i16"], "write `i32`"),
    (
        &["usize", "u128"],
        "write `u64`: its size is the same everywhere",
    ),
    (
        &["isize", "i128"],
        "write `i64`: its size is the same everywhere",
    ),
    (&["f16"], "write `f32`"),
    (&["f128"], "write `f64`"),
    (&["char", "str"], "write `String`"),
    (
        &["HashMap", "IndexMap", "FxHashMap"],
        "write `BTreeMap`: equal messages are equal bytes, so entries have an order",
    ),
    (
        &["HashSet", "BTreeSet", "VecDeque", "LinkedList"],
        "write `Vec`",
    ),
];

/// Notes what a field of this type cannot be.
pub(super) fn field(diag: &Diag, ty: &Type) {
    if let Some([key, value]) = arguments(ty, "BTreeMap").as_deref() {
        if let Some(name) = last_name(key)
            && ["f32", "f64", "Vec", "Bytes"].contains(&name.as_str())
        {
            let text = format!(
                "`{name}` cannot be the key of a map; a key is an integer of 32 or 64 bits, `bool` or \
                 `String`"
            );
            return diag.error(Code::MessageMapKey, key, text);
        }
        value_of(diag, key);
        return value_of(diag, value);
    }
    for holder in ["Option", "Vec"] {
        if let Some([held]) = arguments(ty, holder).as_deref() {
            if !is_bytes(ty) {
                value_of(diag, held);
            }
            return;
        }
    }
    value_of(diag, ty);
}

/// Notes what one value of this type cannot be.
pub(super) fn value_of(diag: &Diag, ty: &Type) {
    if is_bytes(ty) {
        return;
    }
    if let Some([held]) = arguments(ty, "Box").as_deref() {
        return value_of(diag, held);
    }
    let advice = match ty {
        Type::Reference(_) => {
            Some("a message owns what is in it: write `String`, `Vec` or a message")
        }
        Type::Array(_) | Type::Slice(_) => Some("write `Vec`"),
        Type::Tuple(it) if !it.elems.is_empty() => Some("write a message with a field for each"),
        _ => last_name(ty).and_then(|name| {
            let mut known = INSTEAD.iter();
            let found = known.find(|(names, _)| names.contains(&name.as_str()));
            found.map(|(_, advice)| *advice)
        }),
    };
    if let Some(advice) = advice {
        let shown = shown(ty);
        diag.error(
            Code::MessageFieldType,
            ty,
            format!("`{shown}` cannot be in a message; {advice}"),
        );
    }
}

/// What is in the `Option` of a field.
pub(super) fn optional(ty: &Type) -> Option<&Type> {
    match arguments(ty, "Option").as_deref() {
        Some([held]) => Some(*held),
        _ => None,
    }
}

/// The arguments of a type that is called `name`.
fn arguments<'t>(ty: &'t Type, name: &str) -> Option<Vec<&'t Type>> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|it| it.ident == name)?;
    let PathArguments::AngleBracketed(given) = &last.arguments else {
        return None;
    };
    let types = given.args.iter().map(|it| match it {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

fn is_bytes(ty: &Type) -> bool {
    let held = arguments(ty, "Vec");
    held.is_some_and(
        |held| matches!(held.as_slice(), [it] if last_name(it).is_some_and(|it| it == "u8")),
    )
}

fn last_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().map(|it| it.ident.to_string())
}

/// The type as a person would write it.
fn shown(ty: &Type) -> String {
    let text = ty.to_token_stream().to_string();
    text.replace(" :: ", "::")
        .replace(" < ", "<")
        .replace(" > ", ">")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace("& ", "&")
        .replace("< ", "<")
}
