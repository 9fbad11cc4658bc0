//! The rules of a service, one function per rule; those of its methods are the rules of handlers.
//!
//! Invariant: one fault gives one message.

use syn::{Receiver, Type};

use crate::diag::{Code, Diag};
use crate::rpc::check::{Home, Operation, handler};
use crate::rpc::head::mentions;

use super::parse::{Method, Service};

/// Applies every rule and returns the methods that follow theirs, in order.
pub(super) fn service<'s>(diag: &Diag, service: &'s Service) -> Vec<(&'s Method, Operation)> {
    is_concrete(diag, service);
    has_methods(diag, service);
    let methods = service.methods.iter();
    let operations: Vec<_> = methods
        .filter_map(|method| Some((method, follows_rules(diag, method)?)))
        .collect();
    has_different_methods(diag, &operations);
    operations
}

fn is_concrete(diag: &Diag, service: &Service) {
    let text = "a service is generic; a contract is served by one concrete type, \
                such as one with a `Box<dyn Trait>` in it";
    if !service.generics.params.is_empty() {
        diag.error(Code::ServiceGeneric, &service.generics, text);
    } else if let Some(clause) = &service.generics.where_clause {
        diag.error(Code::ServiceGeneric, clause, text);
    }
}

fn has_methods(diag: &Diag, service: &Service) {
    if service.methods.is_empty() {
        let text = "this service serves nothing; put `#[bridge::rpc]` above its methods";
        diag.error(Code::ServiceEmpty, service.impl_token, text);
    }
}

fn follows_rules(diag: &Diag, method: &Method) -> Option<Operation> {
    let Method { attribute, head } = method;
    if let Some(route) = &attribute.route {
        let text = "axum mounts functions; move this handler out of the `impl` block";
        let at = route.path.as_ref().map(quote::ToTokens::to_token_stream);
        let at = at.or_else(|| route.method.as_ref().map(quote::ToTokens::to_token_stream));
        diag.error(Code::ServiceHttp, at, text);
        return None;
    }
    borrows_itself(diag, method);
    let name = head.ident();
    if head.args.iter().any(|arg| mentions(&arg.ty, "Self")) || mentions(&head.sig.output, "Self") {
        let text = format!("`{name}` mentions `Self` in its types; write the name of the type");
        diag.error(Code::ServiceReceiver, name, text);
    }
    handler(diag, attribute, head, Home::Service)
}

fn borrows_itself(diag: &Diag, method: &Method) {
    let head = &method.head;
    let name = head.ident();
    let Some(receiver) = &head.receiver else {
        let text = format!("`{name}` does not use its service; write `&self` first");
        diag.error(Code::ServiceReceiver, name, text);
        return;
    };
    if is_mutable(receiver) {
        let text = format!(
            "calls of `{name}` run side by side, so none of them may have the service for itself; \
             write `&self`, and put what changes into a `Mutex` or an atomic"
        );
        diag.error(Code::ServiceReceiver, receiver, text);
    } else if receiver.colon_token.is_some() || receiver.reference.is_none() {
        let text = format!("`{name}` is called again and again on one service; write `&self`");
        diag.error(Code::ServiceReceiver, receiver, text);
    }
}

fn is_mutable(receiver: &Receiver) -> bool {
    let behind = match &*receiver.ty {
        Type::Reference(reference) => reference.mutability.is_some(),
        _ => false,
    };
    behind || (receiver.reference.is_some() && receiver.mutability.is_some())
}

fn has_different_methods(diag: &Diag, operations: &[(&Method, Operation)]) {
    for (at, (method, operation)) in operations.iter().enumerate() {
        let same = |(_, earlier): &&(&Method, Operation)| earlier.method == operation.method;
        let Some((first, _)) = operations[..at].iter().find(same) else {
            continue;
        };
        let text = format!(
            "`{}` already serves `{}`; a method has one handler",
            first.head.ident(),
            operation.method
        );
        match &method.attribute.name {
            Some(name) => diag.error(Code::ServiceMethodTwice, name, text),
            None => diag.error(Code::ServiceMethodTwice, method.head.ident(), text),
        }
    }
}
