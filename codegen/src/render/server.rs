//! The trait that a service's contract is answered by, all rpcs in one place.

use super::docs;
use super::paths::Scope;
use super::services::or_default;
use super::text::Text;
use crate::model::{Method, Service};
use crate::names;

/// Writes the trait; a service without rpcs has none.
pub(super) fn render(text: &mut Text, scope: &Scope<'_>, service: &Service) {
    if service.methods.is_empty() {
        return;
    }
    let (contract, server) = (service.rust_name(), service.server_name());
    text.line(format!(
        "/// Answers the calls of [`{contract}`]: one function for each rpc."
    ));
    text.line("///");
    text.line(
        "/// A builder's `serve` takes what [`into_handlers`](Self::into_handlers) makes of it.",
    );
    text.quiet();
    let open = format!("pub trait {server}: ::core::marker::Send + ::core::marker::Sync + 'static");
    text.braces(open, |text| {
        text.line("/// What the rpcs fail with, as part of the contract.");
        text.line("type Error: ::bridge::BusinessError + ::core::marker::Send + 'static;");
        for method in &service.methods {
            text.line("");
            function(text, scope, method);
        }
        text.line("");
        into_handlers(text, scope, service);
    });
}

fn function(text: &mut Text, scope: &Scope<'_>, method: &Method) {
    let docs = docs::lines(&method.said.comments);
    text.docs(or_default(&docs, &format!(" Answers `{}`.", method.name)));
    let (name, request) = (names::snake(&method.name), scope.message(&method.input));
    let reply = scope.message(&method.output);
    let result = format!("::core::result::Result<{reply}, Self::Error>");
    let (receiver, answer) = if method.streaming {
        // The stream outlives the call of the function, so it owns what it reads from.
        let item = format!("::bridge::Stream<Item = {result}>");
        let answer = format!("impl {item} + ::core::marker::Send + 'static");
        ("self: ::std::sync::Arc<Self>", answer)
    } else {
        let future = format!("::core::future::Future<Output = {result}>");
        ("&self", format!("impl {future} + ::core::marker::Send"))
    };
    text.block(format!("fn {name}("), &format!(") -> {answer};"), |text| {
        text.line(format!("{receiver},"));
        text.line(format!("request: {request},"));
        text.line("context: ::bridge::Context,");
    });
}

fn into_handlers(text: &mut Text, scope: &Scope<'_>, service: &Service) {
    text.line("/// All rpcs as handlers.");
    text.line("fn into_handlers(self) -> ::bridge::Handlers");
    text.line("where");
    text.line("    Self: ::core::marker::Sized,");
    text.block("{", "}", |text| {
        text.line("let server = ::std::sync::Arc::new(self);");
        let open = "::bridge::Handlers::from_operations(::std::vec![";
        text.block(open, "])", |text| {
            for index in 0..service.methods.len() {
                operation(text, scope, service, index);
            }
        });
    });
}

fn operation(text: &mut Text, scope: &Scope<'_>, service: &Service, index: usize) {
    let method = &service.methods[index];
    let (contract, server) = (service.rust_name(), service.server_name());
    let (name, request) = (names::snake(&method.name), scope.message(&method.input));
    let meta = format!("&<{contract} as ::bridge::__rt::Contract>::METHODS[{index}]");
    let kind = if method.streaming { "stream" } else { "unary" };
    // Spelled out, because an rpc may be called `clone`.
    let shared = "let server = ::std::sync::Arc::clone(&server);";
    text.block("{", "},", |text| {
        text.line(shared);
        let open = format!("::bridge::__rt::OperationDef::{kind}(");
        text.block(open, ")", |text| {
            text.line(format!("{meta},"));
            text.line(format!(
                "::core::concat!(::core::module_path!(), \"::{server}\"),"
            ));
            text.block("move |_: &::bridge::__rt::States| {", "},", |text| {
                text.line(shared);
                let open = format!("Ok(move |request: {request}, context: ::bridge::Context| {{");
                text.block(open, "})", |text| {
                    text.line(shared);
                    let call = format!("<Self as {server}>::{name}");
                    if method.streaming {
                        text.line(format!("{call}(server, request, context)"));
                    } else {
                        let answer = format!("{call}(&server, request, context).await");
                        text.line(format!("async move {{ {answer} }}"));
                    }
                });
            });
        });
    });
}
