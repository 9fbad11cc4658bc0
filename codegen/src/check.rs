//! Rules that a contract can break although the compiler accepts it.
//!
//! One function for each rule; all of them run, so that one build shows every fault.
//!
//! Invariant: what passes here renders to Rust that compiles.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{DescriptorProto, EnumDescriptorProto};

use crate::error::{Error, Fault};
use crate::load::{SourceFile, Sources};
use crate::model::{Model, client_name, tag};
use crate::names;

/// Checks every rule on every file that Rust is generated for.
pub(crate) fn check(sources: &Sources, model: &Model) -> Result<(), Error> {
    let mut faults = Vec::new();
    for file in sources.files.iter().filter(|file| !file.is_well_known()) {
        only_servers_stream(file, &mut faults);
        rpc_names_are_unique_in_a_file(file, &mut faults);
        rpcs_have_a_message_of_their_own(file, model, &mut faults);
        for (index, message) in (0..).zip(&file.descriptor.message_type) {
            names_inside_a_message_differ(file, message, &[tag::MESSAGE, index], &mut faults);
        }
        for (index, found) in (0..).zip(&file.descriptor.enum_type) {
            constants_of_an_enum_differ(file, found, &[tag::ENUM, index], &mut faults);
        }
    }
    names_in_a_package_differ(sources, model, &mut faults);
    packages_have_their_own_modules(sources, model, &mut faults);
    Error::unless_empty(faults)
}

fn only_servers_stream(file: &SourceFile, faults: &mut Vec<Fault>) {
    for (service, index) in file.descriptor.service.iter().zip(0..) {
        for (method, number) in service.method.iter().zip(0..) {
            if method.client_streaming() {
                let path = [
                    tag::SERVICE,
                    index,
                    tag::METHOD,
                    number,
                    tag::CLIENT_STREAMING,
                ];
                let message = format!(
                    "rpc `{}` streams its requests, but servicebridge has server streaming only: \
                     remove this `stream`",
                    method.name()
                );
                faults.push(file.fault(&path, message));
            }
        }
    }
}

/// Callers name a method without its service, so a file must not have two of one name.
fn rpc_names_are_unique_in_a_file(file: &SourceFile, faults: &mut Vec<Fault>) {
    let mut first = BTreeMap::new();
    for (service, index) in file.descriptor.service.iter().zip(0..) {
        let mut functions = BTreeMap::new();
        for (method, number) in service.method.iter().zip(0..) {
            let at = [tag::SERVICE, index, tag::METHOD, number, tag::NAME];
            let name = method.name();
            if let Some(other) = first.insert(name, at) {
                let place = file.place(&other);
                let message = format!(
                    "a second rpc called `{name}` in this file, after {place}: method names have \
                     no service prefix, so rename one or move its service to another file"
                );
                faults.push(file.fault(&at, message));
            } else if let Some(other) = functions.insert(names::snake(name), at) {
                let (function, place) = (names::snake(name), file.place(&other));
                let message = format!(
                    "rpc `{name}` and the one at {place} are both `{function}` in rust: rename one"
                );
                faults.push(file.fault(&at, message));
            }
        }
    }
}

/// A Rust crate can say how a request is answered only if one of the two types is its own.
fn rpcs_have_a_message_of_their_own(file: &SourceFile, model: &Model, faults: &mut Vec<Fault>) {
    let well_known = |name: &str| {
        model
            .types
            .get(name.trim_start_matches('.'))
            .is_some_and(|found| found.well_known)
    };
    for (service, index) in file.descriptor.service.iter().zip(0..) {
        for (method, number) in service.method.iter().zip(0..) {
            if well_known(method.input_type()) && well_known(method.output_type()) {
                let at = [tag::SERVICE, index, tag::METHOD, number, tag::NAME];
                let message = format!(
                    "rpc `{}` has google.protobuf types on both sides: declare a message of your \
                     own for the request or the reply",
                    method.name()
                );
                faults.push(file.fault(&at, message));
            }
        }
    }
}

fn names_inside_a_message_differ(
    file: &SourceFile,
    message: &DescriptorProto,
    at: &[i32],
    faults: &mut Vec<Fault>,
) {
    let mut fields = Scope::default();
    for (field, index) in message.field.iter().zip(0..) {
        let path = [at, &[tag::FIELD, index, tag::NAME]].concat();
        fields.add(
            file,
            &path,
            names::snake(field.name()),
            format!("field `{}`", field.name()),
        );
    }
    for (group, index) in message.oneof_decl.iter().zip(0..) {
        let path = [at, &[tag::ONEOF, index, tag::NAME]].concat();
        if !is_synthetic(message, index) {
            let what = format!("oneof `{}`", group.name());
            fields.add(file, &path, names::snake(group.name()), what);
        }
    }
    faults.append(&mut fields.faults);

    let mut types = Scope::default();
    for (nested, index) in message.nested_type.iter().zip(0..) {
        if is_map_entry(nested) {
            continue;
        }
        let path = [at, &[tag::NESTED_MESSAGE, index]].concat();
        let what = format!("message `{}`", nested.name());
        types.add(file, &named(&path), names::camel(nested.name()), what);
        names_inside_a_message_differ(file, nested, &path, faults);
    }
    for (nested, index) in message.enum_type.iter().zip(0..) {
        let path = [at, &[tag::NESTED_ENUM, index]].concat();
        let what = format!("enum `{}`", nested.name());
        types.add(file, &named(&path), names::camel(nested.name()), what);
        constants_of_an_enum_differ(file, nested, &path, faults);
    }
    faults.append(&mut types.faults);
}

fn constants_of_an_enum_differ(
    file: &SourceFile,
    found: &EnumDescriptorProto,
    at: &[i32],
    faults: &mut Vec<Fault>,
) {
    let mut scope = Scope::default();
    let mut numbers = BTreeSet::new();
    for (value, index) in found.value.iter().zip(0..) {
        // Of several constants with one number, only the first becomes a variant.
        if numbers.insert(value.number()) {
            let path = [at, &[tag::ENUM_VALUE, index, tag::NAME]].concat();
            let rust_name = names::variant(found.name(), value.name());
            scope.add(
                file,
                &path,
                rust_name,
                format!("constant `{}`", value.name()),
            );
        }
    }
    faults.append(&mut scope.faults);
}

fn names_in_a_package_differ(sources: &Sources, model: &Model, faults: &mut Vec<Fault>) {
    for package in model.packages.keys() {
        let mut scope = Scope::default();
        for file in sources
            .files
            .iter()
            .filter(|file| file.package() == package)
        {
            let declared = &file.descriptor;
            for (message, index) in declared.message_type.iter().zip(0..) {
                let what = format!("message `{}`", message.name());
                let at = named(&[tag::MESSAGE, index]);
                scope.add(file, &at, names::camel(message.name()), what);
            }
            for (found, index) in declared.enum_type.iter().zip(0..) {
                let what = format!("enum `{}`", found.name());
                scope.add(
                    file,
                    &named(&[tag::ENUM, index]),
                    names::camel(found.name()),
                    what,
                );
            }
        }
        // Services last, so that a clash is reported at the service whatever the order of files.
        for file in sources
            .files
            .iter()
            .filter(|file| file.package() == package)
        {
            for (service, index) in file.descriptor.service.iter().zip(0..) {
                let (name, at) = (service.name(), named(&[tag::SERVICE, index]));
                scope.add(file, &at, names::camel(name), format!("service `{name}`"));
                let what = format!("the client of service `{name}`");
                scope.add(file, &at, client_name(name), what);
            }
        }
        faults.append(&mut scope.faults);
    }
}

/// Package `a.b` is module `a::b`; a message `B` with nested types in package `a` is one as well.
fn packages_have_their_own_modules(sources: &Sources, model: &Model, faults: &mut Vec<Fault>) {
    let mut packages: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    let mut folders: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    for package in model.packages.keys() {
        let modules = names::modules(package);
        for depth in 1..=modules.len() {
            folders.insert(modules[..depth].to_vec(), package);
        }
        if let Some(other) = packages.insert(modules.clone(), package) {
            let file = sources.files.iter().find(|file| file.package() == package);
            let module = modules.join("::");
            let message = format!(
                "packages `{other}` and `{package}` are both module `{module}` in rust: rename one"
            );
            faults.extend(file.map(|file| file.fault(&[tag::PACKAGE], message)));
        }
    }
    for file in sources.files.iter().filter(|file| !file.is_well_known()) {
        for (message, index) in file.descriptor.message_type.iter().zip(0..) {
            let mut module = names::modules(file.package());
            module.push(names::snake(message.name()));
            if let Some(package) = folders.get(&module).filter(|_| has_module(message)) {
                let (name, module) = (message.name(), module.join("::"));
                let text = format!(
                    "the types inside message `{name}` and package `{package}` are both module \
                     `{module}` in rust: rename one"
                );
                faults.push(file.fault(&named(&[tag::MESSAGE, index]), text));
            }
        }
    }
}

/// Names that share one Rust scope.
#[derive(Default)]
struct Scope {
    taken: BTreeMap<String, (String, String)>,
    faults: Vec<Fault>,
}

impl Scope {
    fn add(&mut self, file: &SourceFile, at: &[i32], rust_name: String, what: String) {
        if let Some((other, place)) = self.taken.get(&rust_name) {
            let text =
                format!("{what} and {other} at {place} are both `{rust_name}` in rust: rename one");
            self.faults.push(file.fault(at, text));
        } else {
            self.taken.insert(rust_name, (what, file.place(at)));
        }
    }
}

/// The place of a declaration's name.
fn named(declaration: &[i32]) -> Vec<i32> {
    [declaration, &[tag::NAME]].concat()
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(|options| options.map_entry())
}

/// Whether the group only marks a proto3 `optional` field.
fn is_synthetic(message: &DescriptorProto, group: i32) -> bool {
    let mut members = message
        .field
        .iter()
        .filter(|field| field.oneof_index == Some(group));
    members.any(|field| field.proto3_optional())
}

/// Whether the message generator opens a module for what is inside this message.
fn has_module(message: &DescriptorProto) -> bool {
    let has_types = message
        .nested_type
        .iter()
        .any(|nested| !is_map_entry(nested));
    let has_oneof = message
        .field
        .iter()
        .any(|field| field.oneof_index.is_some() && !field.proto3_optional());
    has_types || has_oneof || !message.enum_type.is_empty()
}
