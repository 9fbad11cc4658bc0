//! Services of compiled files, with hashes and schemas computed.
//!
//! An rpc that the wire cannot carry is left out and reported.

use std::collections::BTreeMap;

use contract::hash::contract_hash;
use contract::schema::{Schema, from_descriptor, message_json};
use prost_reflect::{MessageDescriptor, MethodDescriptor, ServiceDescriptor};

use super::{Method, Model, Service, options};
use crate::load::{SourceFile, tag};
use crate::names;

/// Reads the services of a file.
pub(super) fn read(model: &mut Model, file: &SourceFile, declared: &prost_reflect::FileDescriptor) {
    let mut taken = BTreeMap::new();
    for (service, index) in declared.services().zip(0..) {
        let at = [tag::SERVICE, index];
        let methods = methods(model, file, &service, &at, &mut taken);
        let options = service.service_descriptor_proto().options.as_ref();
        let service = Service {
            name: service.name().to_owned(),
            full_name: service.full_name().to_owned(),
            package: file.package().to_owned(),
            methods,
            said: file.said(&at, options.is_some_and(|it| it.deprecated())),
        };
        let package = model.packages.entry(service.package.clone()).or_default();
        package.services.push(service);
    }
}

fn methods(
    model: &mut Model,
    file: &SourceFile,
    service: &ServiceDescriptor,
    at: &[i32],
    taken: &mut BTreeMap<String, String>,
) -> Vec<Method> {
    let mut functions = BTreeMap::new();
    let mut methods = Vec::new();
    for (method, number) in service.methods().zip(0..) {
        let at = [at, &[tag::METHOD, number]].concat();
        let problem = streams_requests(file, &method, &at)
            .or_else(|| has_no_message_of_its_own(file, &method, &at))
            .or_else(|| is_taken(file, &method, &at, taken, &mut functions));
        if let Some(problem) = problem {
            model.unsupported.push(problem);
            continue;
        }
        match read_method(file, &method, &at) {
            Ok(method) => methods.push(method),
            Err(problem) => {
                let text = format!("rpc `{}`: {problem}", method.name());
                model.consequences.push(file.place(&at).fault(text));
            }
        }
    }
    methods
}

fn streams_requests(
    file: &SourceFile,
    method: &MethodDescriptor,
    at: &[i32],
) -> Option<crate::error::Fault> {
    let keyword = [at, &[tag::CLIENT_STREAMING]].concat();
    let place = file.exact_place(&keyword).unwrap_or_else(|| file.place(at));
    let text = format!(
        "rpc `{}` streams its requests, but bridge carries streams of replies only: remove this \
         `stream`",
        method.name()
    );
    method.is_client_streaming().then(|| place.fault(text))
}

/// A Rust crate can say how a request is answered only if one of the two types is its own.
fn has_no_message_of_its_own(
    file: &SourceFile,
    method: &MethodDescriptor,
    at: &[i32],
) -> Option<crate::error::Fault> {
    let foreign = |message: MessageDescriptor| {
        crate::load::WELL_KNOWN_FILES.contains(&message.parent_file().name())
    };
    let text = format!(
        "rpc `{}` has google.protobuf types on both sides: declare a message of your own for the \
         request or the reply",
        method.name()
    );
    (foreign(method.input()) && foreign(method.output())).then(|| file.place(at).fault(text))
}

/// Callers name a method without its service, so a file must not have two of one name; and a
/// client has one function of a name.
fn is_taken(
    file: &SourceFile,
    method: &MethodDescriptor,
    at: &[i32],
    taken: &mut BTreeMap<String, String>,
    functions: &mut BTreeMap<String, String>,
) -> Option<crate::error::Fault> {
    let (name, here) = (method.name(), file.place(at));
    if let Some(place) = taken.get(name) {
        return Some(here.fault(format!(
            "a second rpc called `{name}` in this file, after {place}: method names have no \
             service prefix, so rename one or move its service to another file"
        )));
    }
    taken.insert(name.to_owned(), here.to_string());
    let function = names::snake(name);
    if let Some(place) = functions.get(&function) {
        return Some(here.fault(format!(
            "rpc `{name}` and the one at {place} are both `{function}` in rust: rename one"
        )));
    }
    functions.insert(function, here.to_string());
    None
}

fn read_method(file: &SourceFile, method: &MethodDescriptor, at: &[i32]) -> Result<Method, String> {
    let schema = |message: &MessageDescriptor| -> Result<Schema, String> {
        from_descriptor(message).map_err(|error| error.to_string())
    };
    let (request, reply) = (method.input(), method.output());
    let (input, output) = (schema(&request)?, schema(&reply)?);
    let options = method.method_descriptor_proto().options.as_ref();
    Ok(Method {
        name: method.name().to_owned(),
        input: request.full_name().to_owned(),
        output: reply.full_name().to_owned(),
        contract_hash: contract_hash(&input, &output),
        input_schema: message_json(&input),
        output_schema: message_json(&output),
        streaming: method.is_server_streaming(),
        idempotency: options::idempotency(method),
        http: options::http_rules(method),
        said: file.said(at, options.is_some_and(|it| it.deprecated())),
    })
}
