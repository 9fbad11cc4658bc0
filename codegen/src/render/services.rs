//! Services as Rust: the contract type, the typed client, the server trait, and who answers which
//! request.
//!
//! Everything that the SDK must know is a constant; everything that runs is one call to it.
//!
//! Invariant: a (request, reply) pair has one `RpcRequest` and one `RpcStreamRequest` at most in
//! the whole output, in the package of the request, or of the reply where the request is a
//! well-known type.

use std::collections::BTreeMap;

use super::docs;
use super::forms;
use super::paths::Scope;
use super::server;
use super::text::{Text, raw};
use crate::model::{Method, Model, Service};
use crate::names;

/// A request, its reply or the items of its stream, and the methods that exchange them.
pub(super) struct Pair<'m> {
    input: &'m str,
    output: &'m str,
    streaming: bool,
    methods: Vec<(&'m Service, &'m Method)>,
}

impl<'m> Pair<'m> {
    /// The packages of the services that exchange the two.
    pub(super) fn packages(&self) -> impl Iterator<Item = &'m str> {
        self.methods.iter().map(|(service, _)| &*service.package)
    }
}

/// All pairs, by the package that they are rendered in.
pub(super) fn answered_by(model: &Model) -> BTreeMap<&str, Vec<Pair<'_>>> {
    type Key<'m> = (&'m str, &'m str, bool);
    let mut pairs: BTreeMap<Key<'_>, Vec<(&Service, &Method)>> = BTreeMap::new();
    for service in model.packages.values().flat_map(|it| &it.services) {
        for method in &service.methods {
            let key = (&*method.input, &*method.output, method.streaming);
            pairs.entry(key).or_default().push((service, method));
        }
    }
    let mut by_package: BTreeMap<&str, Vec<Pair<'_>>> = BTreeMap::new();
    for ((input, output, streaming), methods) in pairs {
        let owner = match model.messages.get(input) {
            Some(message) if !message.is_well_known() => message,
            _ => &model.messages[output],
        };
        by_package.entry(&owner.package).or_default().push(Pair {
            input,
            output,
            streaming,
            methods,
        });
    }
    by_package
}

/// Writes a service.
pub(super) fn render(text: &mut Text, scope: &Scope<'_>, service: &Service) {
    contract(text, scope, service);
    text.line("");
    client(text, scope, service);
    text.line("");
    server::render(text, scope, service);
}

fn contract(text: &mut Text, scope: &Scope<'_>, service: &Service) {
    let (contract, client) = (service.rust_name(), service.client_name());
    let docs = docs::lines(&service.said.comments);
    let default = format!(" The contract `{}`.", service.full_name);
    text.docs(or_default(&docs, &default));
    text.quiet();
    text.line("#[derive(Clone, Copy, Debug)]");
    text.line(format!("pub struct {contract};"));
    text.line("");
    text.line("#[doc(hidden)]");
    text.quiet();
    text.braces(format!("impl {contract}"), |text| {
        for method in &service.methods {
            meta(text, service, method);
        }
    });
    text.line("");
    text.braces(
        format!("impl ::bridge::__rt::Contract for {contract}"),
        |text| {
            text.line(format!(
                "const NAME: &'static str = \"{}\";",
                service.full_name
            ));
            let target = names::kebab(&service.name);
            text.line(format!(
                "const DEFAULT_TARGET: &'static str = \"{target}\";"
            ));
            let open = "const METHODS: &'static [::bridge::__rt::MethodMeta] = &[";
            text.block(open, "];", |text| {
                for method in &service.methods {
                    text.line(format!("Self::{},", constant(method)));
                }
            });
            forms::render(text, scope, service);
            text.line(format!("type Client = {client};"));
        },
    );
}

fn meta(text: &mut Text, service: &Service, method: &Method) {
    let open = format!(
        "pub const {}: ::bridge::__rt::MethodMeta = ::bridge::__rt::MethodMeta {{",
        constant(method)
    );
    text.block(open, "};", |text| {
        text.line(format!("service: \"{}\",", service.full_name));
        text.line(format!("name: \"{}\",", method.name));
        text.line(format!("contract_hash: \"{}\",", method.contract_hash));
        text.line(format!("input_schema: {},", raw(&method.input_schema)));
        text.line(format!("output_schema: {},", raw(&method.output_schema)));
        text.line(format!("streaming: {},", method.streaming));
    });
}

fn client(text: &mut Text, scope: &Scope<'_>, service: &Service) {
    let (contract, client) = (service.rust_name(), service.client_name());
    text.line(format!("/// Calls a service that speaks [`{contract}`]."));
    text.quiet();
    text.line("#[derive(Clone, Debug)]");
    text.braces(format!("pub struct {client}"), |text| {
        text.line("target: ::bridge::__rt::Target,");
    });
    text.line("");
    let from = format!("impl ::core::convert::From<::bridge::__rt::Target> for {client}");
    text.braces(from, |text| {
        text.braces("fn from(target: ::bridge::__rt::Target) -> Self", |text| {
            text.line("Self { target }");
        });
    });
    text.line("");
    text.line(format!(
        "::bridge::__rt::client_impls!({client}, {contract});"
    ));
    if service.methods.is_empty() {
        return;
    }
    text.line("");
    text.quiet();
    text.braces(format!("impl {client}"), |text| {
        connect(text, service);
        for (index, method) in service.methods.iter().enumerate() {
            if index > 0 || has_connect(service) {
                text.line("");
            }
            function(text, scope, &contract, index, method);
        }
    });
}

/// Whether the client can have a function of its own by this name.
fn has_connect(service: &Service) -> bool {
    let mut functions = service.methods.iter().map(|it| names::snake(&it.name));
    functions.all(|it| it != "connect")
}

fn connect(text: &mut Text, service: &Service) {
    if !has_connect(service) {
        return;
    }
    text.line(
        "/// Calls a server of plain gRPC at this URL (`http://host:port`), without a runtime.",
    );
    let result = "::core::result::Result<Self, ::bridge::Error>";
    text.braces(format!("pub fn connect(url: &str) -> {result}"), |text| {
        let contract = service.rust_name();
        text.line(format!(
            "Ok(::bridge::Remote::grpc(url)?.client::<{contract}>())"
        ));
    });
}

fn function(text: &mut Text, scope: &Scope<'_>, contract: &str, index: usize, method: &Method) {
    let docs = docs::lines(&method.said.comments);
    text.docs(or_default(&docs, &format!(" Calls `{}`.", method.name)));
    text.deprecated(method.said.deprecated);
    let function = names::snake(&method.name);
    let request = scope.message(&method.input);
    let reply = scope.message(&method.output);
    let (call, start) = if method.streaming {
        ("StreamCall", "stream")
    } else {
        ("Call", "unary")
    };
    let open = format!("pub fn {function}(&self, request: {request}) -> ::bridge::{call}<{reply}>");
    text.braces(open, |text| {
        let methods = format!("<{contract} as ::bridge::__rt::Contract>::METHODS");
        text.line(format!("self.target.{start}(&{methods}[{index}], request)"));
    });
}

/// Writes who answers a request.
pub(super) fn render_pair(text: &mut Text, scope: &Scope<'_>, pair: &Pair<'_>) {
    let request = scope.message(pair.input);
    let reply = scope.message(pair.output);
    let which = if pair.streaming {
        "RpcStreamRequest"
    } else {
        "RpcRequest"
    };
    let open = format!("impl ::bridge::__rt::{which}<{reply}> for {request}");
    text.braces(open, |text| {
        let open = "const METHODS: &'static [::bridge::__rt::MethodMeta] = &[";
        text.block(open, "];", |text| {
            for (service, method) in &pair.methods {
                let way = scope.way_to(&service.package, &[]);
                let (contract, constant) = (service.rust_name(), constant(method));
                text.line(format!("{way}{contract}::{constant},"));
            }
        });
    });
}

/// The prefix keeps a method called `Methods` apart from the trait's own constants.
fn constant(method: &Method) -> String {
    format!("RPC_{}", names::shouty(&method.name))
}

/// The lines, or the default where there are none.
pub(super) fn or_default<'l>(lines: &'l [String], default: &'l str) -> Vec<&'l str> {
    if lines.is_empty() {
        vec![default]
    } else {
        lines.iter().map(String::as_str).collect()
    }
}
