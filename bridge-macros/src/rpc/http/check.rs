//! The rules of an axum handler, one function per rule.
//!
//! Decides by words only, and about words it knows: an extractor it never heard of is right.
//!
//! Invariant: one fault gives one message.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{LitStr, Type};

use crate::diag::{Code, Diag};
use crate::rpc::attribute::{Attribute, Route};
use crate::rpc::check::is_free;
use crate::rpc::head::{Arg, Head, first_type, last_segment, mentions};

use super::{header, path};

/// Extractors that take the body, so nothing may come after them.
const BODIES: [&str; 9] = [
    "Body",
    "Bytes",
    "Form",
    "Json",
    "Multipart",
    "Protobuf",
    "RawForm",
    "Request",
    "String",
];
/// Types that hold another extractor.
const WRAPPERS: [&str; 3] = ["Option", "Result", "WithRejection"];
/// Methods that carry no work twice: a repeat asks again.
const ASKING: [&str; 5] = ["get", "head", "options", "trace", "connect"];
/// Types that hold one placeholder.
const SCALARS: [&str; 18] = [
    "String", "Uuid", "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize",
    "u8", "u16", "u32", "u64", "u128", "usize",
];

/// What an axum handler without faults turned out to be.
pub(crate) struct Operation {
    /// `POST`
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) tag: Option<String>,
    /// The header with the key.
    pub(crate) header: Option<String>,
    /// The headers that say whom a key belongs to.
    pub(crate) within: Vec<String>,
}

/// Applies every rule; nothing only if at least one fault was noted.
pub(crate) fn handler(
    diag: &Diag,
    attribute: &Attribute,
    route: &Route,
    head: &Head,
) -> Option<Operation> {
    is_free(diag, head);
    body_is_last(diag, head);
    let path = route.path.as_ref();
    if let Some(path) = path {
        is_mountable(diag, path, head);
    }
    let method = route.method.as_ref();
    let given = attribute.idempotent.as_ref();
    let by = given.and_then(|it| it.by.as_ref());
    if let Some(by) = by {
        can_be_repeated(diag, method, by, head);
    }
    let within = given.and_then(|it| it.within.as_ref());
    let within = within.map(|it| header::keys_are_within(diag, it, by));
    Some(Operation {
        method: method?.to_string().to_ascii_uppercase(),
        path: path?.value(),
        name: name(diag, attribute, head),
        tag: tag(diag, attribute),
        header: by.map(LitStr::value),
        within: within.unwrap_or_default(),
    })
}

fn name(diag: &Diag, attribute: &Attribute, head: &Head) -> String {
    let Some(given) = &attribute.name else {
        return head.ident().unraw().to_string();
    };
    let name = given.value();
    if name.trim().is_empty() {
        let text = "name is empty; write what documents call the operation, or remove it";
        diag.error(Code::RpcName, given, text);
    }
    name
}

fn tag(diag: &Diag, attribute: &Attribute) -> Option<String> {
    let given = attribute.tag.as_ref()?;
    if given.value().trim().is_empty() {
        let text = "tag is empty; write what documents file the operation under, or remove it";
        diag.error(Code::RpcName, given, text);
    }
    Some(given.value())
}

fn is_mountable(diag: &Diag, path: &LitStr, head: &Head) {
    let names = match path::placeholders(&path.value()) {
        Ok(names) => names,
        Err(fault) => return diag.error(Code::HttpPath, path, fault),
    };
    let twice = names
        .iter()
        .enumerate()
        .find(|(at, name)| names[..*at].contains(name));
    if let Some((_, name)) = twice {
        let text = format!("`{{{name}}}` is in the path twice; give one of them another name");
        return diag.error(Code::HttpPlaceholderTwice, path, text);
    }
    for arg in &head.args {
        takes_placeholders(diag, arg, &names);
    }
}

/// Compares a `Path<…>` that says how many values it takes with the path.
fn takes_placeholders(diag: &Diag, arg: &Arg, names: &[String]) {
    let is_path = last_segment(&arg.ty).is_some_and(|last| last.ident == "Path");
    let Some(values) = first_type(&arg.ty).filter(|_| is_path) else {
        return;
    };
    let taken = match values {
        Type::Tuple(tuple) => tuple.elems.len(),
        _ if is_scalar(values) => 1,
        _ => return,
    };
    if taken != names.len() {
        let text = format!(
            "`Path` takes {}, the path has {}; if a router around it has the rest, \
             write the whole path",
            counted(taken, "value"),
            counted(names.len(), "placeholder"),
        );
        diag.error(Code::HttpPlaceholderCount, &arg.ty, text);
    }
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn is_scalar(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|last| SCALARS.iter().any(|it| last.ident == it))
}

fn body_is_last(diag: &Diag, head: &Head) {
    let Some((_, before)) = head.args.split_last() else {
        return;
    };
    for arg in before.iter().filter(|arg| takes_body(&arg.ty)) {
        let text = "this takes the body of the request, so it is the last argument; move it there";
        diag.error(Code::HttpBodyNotLast, &arg.ty, text);
    }
}

fn takes_body(ty: &Type) -> bool {
    let Some(last) = last_segment(ty) else {
        return false;
    };
    if matches!(ty, Type::Reference(_)) {
        return false;
    }
    if WRAPPERS.iter().any(|it| last.ident == it) {
        return first_type(ty).is_some_and(takes_body);
    }
    BODIES.iter().any(|it| last.ident == it)
}

/// The key is of use here, and its header can bring one.
fn can_be_repeated(diag: &Diag, method: Option<&Ident>, by: &LitStr, head: &Head) {
    let asking = method.map(ToString::to_string);
    let asking = asking.filter(|it| ASKING.contains(&it.as_str()));
    if let Some(word) = asking {
        let text = format!(
            "a {} does nothing twice when it is sent twice; remove `idempotent_by`",
            word.to_uppercase()
        );
        diag.error(Code::HttpIdempotent, by, text);
    } else if mentions(&head.sig.output, "Sse") {
        let text = "a stream is not kept, so it cannot be answered a second time; \
                    remove `idempotent_by`";
        diag.error(Code::HttpIdempotent, by, text);
    } else {
        header::brings_a_key(diag, by);
    }
}
