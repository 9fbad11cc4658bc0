//! What the generator writes: packages, services and methods, with hashes and schemas computed.
//!
//! Messages are not modelled here; they go to the message generator as descriptors.
//!
//! Invariant: a method's `input` and `output` are keys of `Model::types`.

use std::collections::BTreeMap;

use contract::hash::contract_hash;
use contract::schema::{Schema, from_descriptor, message_json};
use prost_types::{DescriptorProto, ServiceDescriptorProto};

use crate::error::{Error, Fault};
use crate::load::{SourceFile, Sources};
use crate::names;

/// Descriptor path elements: the field numbers of `FileDescriptorProto` and below.
pub(crate) mod tag {
    pub(crate) const PACKAGE: i32 = 2;
    pub(crate) const MESSAGE: i32 = 4;
    pub(crate) const ENUM: i32 = 5;
    pub(crate) const SERVICE: i32 = 6;
    pub(crate) const METHOD: i32 = 2;
    pub(crate) const FIELD: i32 = 2;
    pub(crate) const NESTED_MESSAGE: i32 = 3;
    pub(crate) const NESTED_ENUM: i32 = 4;
    pub(crate) const ONEOF: i32 = 8;
    pub(crate) const ENUM_VALUE: i32 = 2;
    pub(crate) const NAME: i32 = 1;
    pub(crate) const CLIENT_STREAMING: i32 = 5;
}

/// All packages of one compilation.
pub(crate) struct Model {
    /// By package name; the name is empty for files without one.
    pub(crate) packages: BTreeMap<String, Package>,
    /// Where each message lives, by full name without a leading dot.
    pub(crate) types: BTreeMap<String, MessageType>,
}

/// One package, from one or more files.
#[derive(Default)]
pub(crate) struct Package {
    /// Import names of its files, in order of compilation.
    pub(crate) files: Vec<String>,
    pub(crate) services: Vec<Service>,
}

/// Where a message lives.
pub(crate) struct MessageType {
    pub(crate) package: String,
    /// The messages around it and itself, outermost first.
    pub(crate) path: Vec<String>,
    pub(crate) well_known: bool,
}

/// One `service` block.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) full_name: String,
    pub(crate) package: String,
    pub(crate) comments: Comments,
    pub(crate) methods: Vec<Method>,
}

/// One unary or server-streaming rpc; others do not pass the check.
pub(crate) struct Method {
    pub(crate) name: String,
    /// Full names without a leading dot.
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) contract_hash: String,
    pub(crate) input_schema: String,
    pub(crate) output_schema: String,
    pub(crate) streaming: bool,
    pub(crate) deprecated: bool,
    pub(crate) comments: Comments,
}

/// The comment above a declaration and the one behind it, as written.
#[derive(Default)]
pub(crate) struct Comments {
    pub(crate) leading: String,
    pub(crate) trailing: String,
}

/// Builds the model; a message without a schema is a fault of the rpc that uses it.
pub(crate) fn build(sources: &Sources) -> Result<Model, Error> {
    let mut model = Model {
        packages: BTreeMap::new(),
        types: BTreeMap::new(),
    };
    let mut faults = Vec::new();
    for file in &sources.files {
        for message in &file.descriptor.message_type {
            add_types(&mut model.types, file, message, &[]);
        }
        if file.is_well_known() {
            continue;
        }
        let package = model.packages.entry(file.package().to_owned()).or_default();
        package.files.push(file.name.clone());
        for (index, service) in (0..).zip(&file.descriptor.service) {
            package
                .services
                .push(build_service(sources, file, index, service, &mut faults));
        }
    }
    Error::unless_empty(faults)?;
    Ok(model)
}

fn add_types(
    types: &mut BTreeMap<String, MessageType>,
    file: &SourceFile,
    message: &DescriptorProto,
    outer: &[String],
) {
    let mut path = outer.to_vec();
    path.push(message.name().to_owned());
    for nested in &message.nested_type {
        add_types(types, file, nested, &path);
    }
    let package = file.package().to_owned();
    let full_name = qualified(&package, &path.join("."));
    types.insert(
        full_name,
        MessageType {
            package,
            path,
            well_known: file.is_well_known(),
        },
    );
}

fn build_service(
    sources: &Sources,
    file: &SourceFile,
    index: i32,
    service: &ServiceDescriptorProto,
    faults: &mut Vec<Fault>,
) -> Service {
    let mut methods = Vec::new();
    for (number, method) in (0..).zip(&service.method) {
        let at = [tag::SERVICE, index, tag::METHOD, number];
        let mut schema = |type_name: &str| match schema(sources, type_name) {
            Ok(schema) => Some(schema),
            Err(problem) => {
                faults.push(file.fault(&at, format!("rpc `{}`: {problem}", method.name())));
                None
            }
        };
        let (input, output) = (schema(method.input_type()), schema(method.output_type()));
        let (Some(input), Some(output)) = (input, output) else {
            continue;
        };
        methods.push(Method {
            name: method.name().to_owned(),
            input: method.input_type().trim_start_matches('.').to_owned(),
            output: method.output_type().trim_start_matches('.').to_owned(),
            contract_hash: contract_hash(&input, &output),
            input_schema: message_json(&input),
            output_schema: message_json(&output),
            streaming: method.server_streaming(),
            deprecated: method
                .options
                .as_ref()
                .is_some_and(|options| options.deprecated()),
            comments: comments(file, &at),
        });
    }
    Service {
        name: service.name().to_owned(),
        full_name: qualified(file.package(), service.name()),
        package: file.package().to_owned(),
        comments: comments(file, &[tag::SERVICE, index]),
        methods,
    }
}

fn schema(sources: &Sources, type_name: &str) -> Result<Schema, String> {
    let name = type_name.trim_start_matches('.');
    let message = sources.pool.get_message_by_name(name);
    // The compiler has resolved the name already; the text is for the impossible case.
    let message = message.ok_or_else(|| format!("message `{name}` is not defined"))?;
    from_descriptor(&message).map_err(|error| error.to_string())
}

fn comments(file: &SourceFile, declaration: &[i32]) -> Comments {
    let info = file.descriptor.source_code_info.as_ref();
    let location = info
        .and_then(|info| {
            info.location
                .iter()
                .find(|location| location.path == declaration)
        })
        .cloned()
        .unwrap_or_default();
    Comments {
        leading: location.leading_comments.unwrap_or_default(),
        trailing: location.trailing_comments.unwrap_or_default(),
    }
}

fn qualified(package: &str, name: &str) -> String {
    if package.is_empty() {
        name.to_owned()
    } else {
        format!("{package}.{name}")
    }
}

impl Service {
    /// The Rust name of the type that stands for the contract.
    pub(crate) fn rust_name(&self) -> String {
        names::camel(&self.name)
    }

    /// The Rust name of the typed client.
    pub(crate) fn client_name(&self) -> String {
        client_name(&self.name)
    }
}

/// The Rust name of a service's typed client.
pub(crate) fn client_name(service: &str) -> String {
    names::camel(&format!("{service}Client"))
}
