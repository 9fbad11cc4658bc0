//! The rules of a handler, one function per rule.
//!
//! Decides by words only. Whether a type is a message, or whether the contract has a method for
//! this pair of messages, is known to the compiler and said by the traits in `bridge::__rt`.
//!
//! Invariant: one fault gives one message, so a rule that another rule's fault would trip as well
//! looks away.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{ReturnType, Type};

use crate::case::upper_camel;
use crate::diag::{Code, Diag};

use super::parse::{Arg, Handler, Role, mentions};

/// What a handler without faults turned out to be.
pub(super) struct Operation {
    /// The method of the contract, and where the user named it.
    pub(super) method: String,
    pub(super) method_at: Span,
    pub(super) message: Type,
    pub(super) returns: Type,
}

/// Applies every rule; nothing only if at least one fault was noted.
pub(super) fn handler(diag: &Diag, handler: &Handler) -> Option<Operation> {
    is_async(diag, handler);
    is_plain(diag, handler);
    is_free(diag, handler);
    is_concrete(diag, handler);
    takes_values(diag, handler);
    has_one_context(diag, handler);
    names_its_states(diag, handler);
    let (method, method_at) = method(diag, handler)?;
    let message = message(diag, handler);
    let returns = returns(diag, handler);
    Some(Operation {
        method,
        method_at,
        message: message?,
        returns: returns?,
    })
}

fn is_async(diag: &Diag, handler: &Handler) {
    if handler.sig.asyncness.is_none() {
        let name = &handler.sig.ident;
        let text = format!("handler `{name}` is not async; write `async fn {name}`");
        diag.error(Code::RpcNotAsync, handler.sig.fn_token, text);
    }
}

fn is_plain(diag: &Diag, handler: &Handler) {
    let name = &handler.sig.ident;
    if let Some(keyword) = handler.sig.unsafety {
        let text = format!(
            "handler `{name}` is unsafe; remove `unsafe`, a remote caller cannot uphold its conditions"
        );
        diag.error(Code::RpcQualifier, keyword, text);
    }
    if let Some(abi) = &handler.sig.abi {
        let text = format!("handler `{name}` has a foreign ABI; remove `extern`");
        diag.error(Code::RpcQualifier, abi, text);
    }
}

fn is_free(diag: &Diag, handler: &Handler) {
    let name = &handler.sig.ident;
    if let Some(receiver) = &handler.receiver {
        let text = format!(
            "handler `{name}` is a method; make it a free function and take shared values as `State<T>`"
        );
        diag.error(Code::RpcMethod, receiver, text);
    } else if mentions(&handler.sig, "Self") {
        let text = format!("handler `{name}` mentions `Self`; make it a free function");
        diag.error(Code::RpcMethod, &handler.sig.ident, text);
    }
}

fn is_concrete(diag: &Diag, handler: &Handler) {
    let name = &handler.sig.ident;
    let text = format!("handler `{name}` is generic; a contract's method has one concrete type");
    let generics = &handler.sig.generics;
    if !generics.params.is_empty() {
        diag.error(Code::RpcGeneric, generics, &text);
    } else if let Some(clause) = &generics.where_clause {
        diag.error(Code::RpcGeneric, clause, &text);
    }
    for arg in handler.args.iter().filter(|arg| mentions(&arg.ty, "impl")) {
        diag.error(Code::RpcGeneric, &arg.ty, &text);
    }
}

fn takes_values(diag: &Diag, handler: &Handler) {
    for arg in &handler.args {
        if let Type::Reference(reference) = &arg.ty {
            let text = "handlers take their arguments by value; remove the `&`";
            diag.error(Code::RpcReference, reference.and_token, text);
        }
    }
}

fn has_one_context(diag: &Diag, handler: &Handler) {
    let contexts = handler
        .args
        .iter()
        .filter(|arg| matches!(arg.role, Role::Context));
    for arg in contexts.skip(1) {
        diag.error(
            Code::RpcTwoContexts,
            &arg.ty,
            "a call has one `Context`; remove this one",
        );
    }
}

fn names_its_states(diag: &Diag, handler: &Handler) {
    for arg in &handler.args {
        if matches!(arg.role, Role::State(None)) {
            diag.error(
                Code::RpcStateType,
                &arg.ty,
                "write which state, such as `State<Db>`",
            );
        }
    }
}

fn method(diag: &Diag, handler: &Handler) -> Option<(String, Span)> {
    let ident = &handler.sig.ident;
    let Some(given) = &handler.name else {
        let method = upper_camel(&ident.unraw().to_string());
        if !is_proto_name(&method) {
            let text = format!(
                "`{ident}` is no method name in UpperCamelCase; add `name = \"…\"` to the attribute"
            );
            diag.error(Code::RpcName, ident, text);
        }
        return Some((method, ident.span()));
    };
    let method = given.value();
    if method.is_empty() {
        diag.error(
            Code::RpcName,
            given,
            "name is empty; write the contract's method or remove it",
        );
    } else if !is_proto_name(&method) {
        let text = "name is not a method of a contract: letters, digits and `_`, a letter first";
        diag.error(Code::RpcName, given, text);
    }
    Some((method, given.span()))
}

fn is_proto_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn message(diag: &Diag, handler: &Handler) -> Option<Type> {
    let is_message = |arg: &&Arg| matches!(arg.role, Role::Message);
    let mut messages = handler.args.iter().filter(is_message);
    let name = &handler.sig.ident;
    let Some(first) = messages.next() else {
        let text =
            format!("handler `{name}` takes no message; add one, such as `req: ChargeRequest`");
        diag.error(Code::RpcNoMessage, inputs(handler), text);
        return None;
    };
    for arg in messages {
        let text = format!(
            "handler `{name}` takes two messages; a method has one request, \
             other arguments are `State<T>` or `Context`"
        );
        diag.error(Code::RpcTwoMessages, &arg.ty, text);
    }
    Some(first.ty.clone())
}

/// The argument list with its parentheses; only these are there when it is empty.
fn inputs(handler: &Handler) -> proc_macro2::TokenStream {
    let mut tokens = proc_macro2::TokenStream::new();
    handler.sig.paren_token.surround(&mut tokens, |inner| {
        quote::ToTokens::to_tokens(&handler.sig.inputs, inner);
    });
    tokens
}

fn returns(diag: &Diag, handler: &Handler) -> Option<Type> {
    let name = &handler.sig.ident;
    match &handler.sig.output {
        ReturnType::Default => {
            let text = format!("handler `{name}` returns nothing; write `-> Result<Reply, Error>`");
            diag.error(Code::RpcNoReturnType, name, text);
            None
        }
        ReturnType::Type(_, ty) if mentions(ty, "impl") => {
            // A sync fn that returns a future has one fault: it should be `async`.
            if handler.sig.asyncness.is_some() {
                let text = format!(
                    "handler `{name}` hides its return type; write `Result<Reply, Error>` with both types"
                );
                diag.error(Code::RpcNoReturnType, ty, text);
            }
            None
        }
        ReturnType::Type(_, ty) => Some(Type::clone(ty)),
    }
}
