//! The rules of a handler of messages, one function per rule.
//!
//! Decides by words only. Whether a type is a message, or whether the contract has a method for
//! this pair of messages, is known to the compiler and said by the traits in `bridge::__rt`.
//!
//! Invariant: one fault gives one message, so a rule that another rule's fault would trip as well
//! looks away.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Ident, LitStr, ReturnType, Type};

use crate::case::upper_camel;
use crate::diag::{Code, Diag};

use super::attribute::Attribute;
use super::head::{Arg, Head, Role, last_segment, mentions, stream_item};

/// Where a handler stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// A free function.
    Module,
    /// A method below `#[bridge::service]`.
    Service,
}

/// What a handler without faults turned out to be.
pub(crate) struct Operation {
    /// The method of the contract, and where the user named it.
    pub(crate) method: String,
    pub(crate) method_at: Span,
    pub(crate) message: Type,
    pub(crate) answers: Answers,
    pub(crate) idempotent: Option<Idempotent>,
}

/// What a handler returns.
pub(crate) enum Answers {
    /// `Result<Reply, Error>`, in a future.
    Once(Type),
    /// `Result<Item, Error>`, again and again.
    Stream(Type),
}

impl Answers {
    /// The `Result`.
    pub(crate) fn result(&self) -> &Type {
        match self {
            Self::Once(result) | Self::Stream(result) => result,
        }
    }
}

/// Which calls are the same call.
pub(crate) struct Idempotent {
    /// The field of the message with the key; else the caller's own key.
    pub(crate) field: Option<Ident>,
    pub(crate) keep_ms: Option<u64>,
}

/// Applies every rule; nothing only if at least one fault was noted.
pub(crate) fn handler(
    diag: &Diag,
    attribute: &Attribute,
    head: &Head,
    home: Home,
) -> Option<Operation> {
    is_plain(diag, head);
    if home == Home::Module {
        is_free(diag, head);
    }
    is_concrete(diag, head, home);
    takes_values(diag, head);
    has_one_context(diag, head);
    names_its_states(diag, head);
    let method = method(diag, attribute, head);
    let message = message(diag, head);
    let answers = answers(diag, head);
    let idempotent = idempotent(diag, attribute, answers.as_ref());
    let (method, method_at) = method;
    Some(Operation {
        method,
        method_at,
        message: message?,
        answers: answers?,
        idempotent,
    })
}

fn is_plain(diag: &Diag, head: &Head) {
    let name = head.ident();
    if let Some(keyword) = head.sig.unsafety {
        let text = format!(
            "handler `{name}` is unsafe; remove `unsafe`, a remote caller cannot uphold its conditions"
        );
        diag.error(Code::RpcQualifier, keyword, text);
    }
    if let Some(abi) = &head.sig.abi {
        let text = format!("handler `{name}` has a foreign ABI; remove `extern`");
        diag.error(Code::RpcQualifier, abi, text);
    }
}

/// Also a rule of axum handlers: both forms add a type beside the function.
pub(crate) fn is_free(diag: &Diag, head: &Head) {
    let name = head.ident();
    if head.is_bodiless {
        let text = format!(
            "`{name}` has no body; put `#[bridge::rpc]` above a function that answers: a free one, \
             or a method below `#[bridge::service]`"
        );
        diag.error(Code::RpcMethod, name, text);
    } else if let Some(receiver) = &head.receiver {
        let text = format!(
            "handler `{name}` is a method; put `#[bridge::service]` above its `impl`, or make it \
             a free function and take shared values as `State<T>`"
        );
        diag.error(Code::RpcMethod, receiver, text);
    } else if mentions(&head.sig, "Self") {
        let text = format!("handler `{name}` mentions `Self`; make it a free function");
        diag.error(Code::RpcMethod, name, text);
    }
}

fn is_concrete(diag: &Diag, head: &Head, home: Home) {
    let name = head.ident();
    let text = format!("handler `{name}` is generic; a contract's method has one concrete type");
    let generics = &head.sig.generics;
    let names_lifetimes = generics.params.len() == generics.lifetimes().count();
    if !generics.params.is_empty() && names_lifetimes && home == Home::Service {
        let text = format!(
            "`{name}` names a lifetime; leave it out and write `&self`: a service lives as long as \
             what its methods return, and a stream that borrows it is `impl Stream<…> + '_`"
        );
        diag.error(Code::RpcGeneric, generics, text);
    } else if !generics.params.is_empty() {
        diag.error(Code::RpcGeneric, generics, &text);
    } else if let Some(clause) = &generics.where_clause {
        diag.error(Code::RpcGeneric, clause, &text);
    }
    for arg in head.args.iter().filter(|arg| mentions(&arg.ty, "impl")) {
        diag.error(Code::RpcGeneric, &arg.ty, &text);
    }
}

fn takes_values(diag: &Diag, head: &Head) {
    for arg in &head.args {
        if let Type::Reference(reference) = &arg.ty {
            let text = "handlers take their arguments by value; remove the `&`";
            diag.error(Code::RpcReference, reference.and_token, text);
        }
    }
}

fn has_one_context(diag: &Diag, head: &Head) {
    let is_context = |arg: &&Arg| matches!(arg.role, Role::Context);
    for arg in head.args.iter().filter(is_context).skip(1) {
        let text = "a call has one `Context`; remove this one";
        diag.error(Code::RpcTwoContexts, &arg.ty, text);
    }
}

fn names_its_states(diag: &Diag, head: &Head) {
    for arg in &head.args {
        if matches!(arg.role, Role::State(None)) {
            let text = "write which state, such as `State<Db>`";
            diag.error(Code::RpcStateType, &arg.ty, text);
        }
    }
}

fn method(diag: &Diag, attribute: &Attribute, head: &Head) -> (String, Span) {
    let ident = head.ident();
    let Some(given) = &attribute.name else {
        let method = upper_camel(&ident.unraw().to_string());
        if !is_proto_name(&method) {
            let text = format!(
                "`{ident}` is no method name in UpperCamelCase; add `name = \"…\"` to the attribute"
            );
            diag.error(Code::RpcName, ident, text);
        }
        return (method, ident.span());
    };
    let method = given.value();
    if method.is_empty() {
        let text = "name is empty; write the contract's method or remove it";
        diag.error(Code::RpcName, given, text);
    } else if !is_proto_name(&method) {
        let text = "name is not a method of a contract: letters, digits and `_`, a letter first";
        diag.error(Code::RpcName, given, text);
    }
    (method, given.span())
}

fn is_proto_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn message(diag: &Diag, head: &Head) -> Option<Type> {
    let is_message = |arg: &&Arg| matches!(arg.role, Role::Message);
    let mut messages = head.args.iter().filter(is_message);
    let name = head.ident();
    let Some(first) = messages.next() else {
        let text =
            format!("handler `{name}` takes no message; add one, such as `req: ChargeRequest`");
        diag.error(Code::RpcNoMessage, inputs(head), text);
        return None;
    };
    for arg in messages {
        let text = format!(
            "handler `{name}` takes two messages; a method has one request, \
             other arguments are `State<T>`, `bridge::Client<C>` or `Context`"
        );
        diag.error(Code::RpcTwoMessages, &arg.ty, text);
    }
    Some(first.ty.clone())
}

/// The argument list with its parentheses; only these are there when it is empty.
pub(super) fn inputs(head: &Head) -> proc_macro2::TokenStream {
    let mut tokens = proc_macro2::TokenStream::new();
    head.sig.paren_token.surround(&mut tokens, |inner| {
        quote::ToTokens::to_tokens(&head.sig.inputs, inner);
    });
    tokens
}

/// The result, of a future or of each item of a stream; what keeps it from being told is noted.
fn answers(diag: &Diag, head: &Head) -> Option<Answers> {
    let name = head.ident();
    let asyncness = head.sig.asyncness;
    let ReturnType::Type(_, ty) = &head.sig.output else {
        is_async(diag, head);
        let text = format!("handler `{name}` returns nothing; write `-> Result<Reply, Error>`");
        diag.error(Code::RpcNoReturnType, name, text);
        return None;
    };
    // A stream by another name (`BoxStream<…>`) is read as one that hides its items.
    let is_named = last_segment(ty).is_some_and(|it| it.ident.to_string().ends_with("Stream"));
    if is_named || mentions(ty, "Stream") {
        return streams(diag, head, ty);
    }
    is_async(diag, head);
    if !mentions(ty, "impl") {
        return Some(Answers::Once(Type::clone(ty)));
    }
    // A sync fn that returns a future has one fault: it should be `async`.
    if asyncness.is_some() {
        let text = format!(
            "handler `{name}` hides its return type; write `Result<Reply, Error>` with both types"
        );
        diag.error(Code::RpcNoReturnType, ty, text);
    }
    None
}

fn streams(diag: &Diag, head: &Head, ty: &Type) -> Option<Answers> {
    let name = head.ident();
    let item = stream_item(&head.sig.output);
    if let Some(keyword) = head.sig.asyncness {
        let text = format!(
            "handler `{name}` returns a stream, so there is nothing to await before; \
             remove `async` and wait inside of the stream"
        );
        diag.error(Code::RpcStream, keyword, text);
    } else if item.is_none() {
        let text = format!(
            "handler `{name}` hides what its stream holds; \
             write `impl Stream<Item = Result<Reply, Error>>`"
        );
        diag.error(Code::RpcStream, ty, text);
    }
    item.map(Answers::Stream)
}

fn is_async(diag: &Diag, head: &Head) {
    if head.sig.asyncness.is_none() {
        let name = head.ident();
        let text = format!("handler `{name}` is not async; write `async fn {name}`");
        diag.error(Code::RpcNotAsync, head.sig.fn_token, text);
    }
}

fn idempotent(diag: &Diag, attribute: &Attribute, answers: Option<&Answers>) -> Option<Idempotent> {
    let given = attribute.idempotent.as_ref()?;
    if matches!(answers, Some(Answers::Stream(_))) {
        let text = "a stream is not kept, so it cannot be answered a second time; \
                    remove what says idempotent";
        match &given.by {
            Some(by) => diag.error(Code::RpcIdempotent, by, text),
            None => diag.error(Code::RpcIdempotent, answers.map(Answers::result), text),
        }
    }
    let field = given.by.as_ref().and_then(|by| field(diag, by));
    Some(Idempotent {
        field,
        keep_ms: given.keep_ms,
    })
}

/// The name of a field, where the user wrote it. Whether the message has it is for the compiler.
fn field(diag: &Diag, given: &LitStr) -> Option<Ident> {
    let name = given.value();
    let parsed = syn::parse_str::<Ident>(&name).or_else(|_| syn::parse_str(&format!("r#{name}")));
    match parsed {
        Ok(mut field) => {
            field.set_span(given.span());
            Some(field)
        }
        Err(_) => {
            let text = "`idempotent_by` names a field of the message, such as `\"order_id\"`";
            diag.error(Code::RpcIdempotent, given, text);
            None
        }
    }
}
