//! `.schema.json` files as packages with two messages and one method each.
//!
//! The path says the names: `payments/charge.schema.json` is package `payments.charge` with the
//! messages `Input` and `Output`, and method `Charge` of service `Payments`, which all files of
//! the folder `payments` make up. A file in the contracts folder itself is a service of its own.
//!
//! Fields are plain ones, as in proto3, so that a flat contract is the same bytes in both forms:
//! objects may be absent, everything else has its default.
//!
//! Invariant: the contract hash is that of the file alone; its path is not part of it.

use contract::hash::contract_hash;
use contract::schema::{self, Cardinality, Schema, message_json};

use super::{Field, Idempotency, Label, Message, Method, Model, Origin, Service, Type};
use crate::error::Fault;
use crate::load::SchemaFile;
use crate::names;
use crate::place::{Comments, Said};

/// Reads a file into the model.
pub(super) fn read(model: &mut Model, file: &SchemaFile, faults: &mut Vec<Fault>) {
    let path: Vec<&str> = file.package.split('.').collect();
    if let Some(bad) = path.iter().find(|it| !names::can_name_a_module(it)) {
        let text = format!(
            "`{bad}` in the path cannot be the name of a rust module: use letters, digits and `_`"
        );
        faults.push(file.place("$").fault(text));
        return;
    }
    if let Some(other) = model
        .packages
        .get(&file.package)
        .and_then(|it| it.files.first())
    {
        let text = format!(
            "package `{}` is declared by {other} already: rename this file",
            file.package
        );
        faults.push(file.place("$").fault(text));
        return;
    }
    let (input, output) = (&file.contract.input, &file.contract.output);
    for (schema, section) in [(input, "$.input"), (output, "$.output")] {
        add_messages(model, file, schema, section);
    }
    let package = model.packages.entry(file.package.clone()).or_default();
    package.files.push(file.name.clone());
    for schema in [input, output] {
        package.messages.extend(
            in_order(schema)
                .iter()
                .map(|it| full_name(file, &it.full_name)),
        );
    }
    add_method(model, file, &path);
}

fn add_method(model: &mut Model, file: &SchemaFile, path: &[&str]) {
    let (input, output) = (&file.contract.input, &file.contract.output);
    let (stem, folders) = path.split_last().unwrap_or((&"", &[]));
    let method = Method {
        name: names::camel(stem),
        input: full_name(file, &input.root),
        output: full_name(file, &output.root),
        contract_hash: contract_hash(input, output),
        input_schema: message_json(input),
        output_schema: message_json(output),
        streaming: false,
        idempotency: Idempotency::Unknown,
        http: Vec::new(),
        said: said(file, "$"),
    };
    let (package, name) = match folders.last() {
        Some(folder) => (folders.join("."), names::camel(folder)),
        None => (file.package.clone(), names::camel(stem)),
    };
    let services = &mut model.packages.entry(package.clone()).or_default().services;
    let of_folder = services
        .iter_mut()
        .find(|it| it.name == name && it.said.place.file().ends_with(".schema.json"));
    if let Some(service) = of_folder {
        service.methods.push(method);
        return;
    }
    services.push(Service {
        full_name: format!("{package}.{name}"),
        name,
        package,
        methods: vec![method],
        said: said(file, "$"),
    });
}

fn add_messages(model: &mut Model, file: &SchemaFile, schema: &Schema, section: &str) {
    let mut pending = vec![(schema.root.clone(), section_root(file, section))];
    while let Some((name, path)) = pending.pop() {
        let Some(declared) = schema.messages.get(&name) else {
            continue;
        };
        let mut fields = Vec::new();
        for field in &declared.fields {
            let at = format!("{path}.{}", field.json_name);
            if let schema::Type::Message(inner) = &field.ty {
                let below = match field.cardinality {
                    Cardinality::Repeated => format!("{at}.array.nested"),
                    _ => format!("{at}.nested"),
                };
                pending.push((inner.clone(), below));
            }
            fields.push(read_field(file, field, &at));
        }
        let full_name = full_name(file, &name);
        let message = Message {
            name: declared.name().to_owned(),
            full_name: full_name.clone(),
            package: file.package.clone(),
            outer: Vec::new(),
            origin: Origin::SchemaJson,
            module: names::snake(declared.name()),
            fields,
            oneofs: Vec::new(),
            messages: Vec::new(),
            enums: Vec::new(),
            reserved: Vec::new(),
            reserved_names: Vec::new(),
            requires: false,
            said: said(file, &path),
        };
        model.messages.insert(full_name, message);
    }
}

fn read_field(file: &SchemaFile, field: &schema::Field, at: &str) -> Field {
    let ty = match &field.ty {
        schema::Type::Scalar(scalar) => Type::Scalar(*scalar),
        schema::Type::Message(name) => Type::Message(full_name(file, name)),
        schema::Type::Enum(name) => Type::Enum(full_name(file, name)),
    };
    let label = match (field.cardinality, &ty) {
        (Cardinality::Repeated, _) => Label::Repeated {
            packed: is_packable(&ty),
        },
        (_, Type::Message(_)) => Label::Explicit,
        _ => Label::Implicit,
    };
    Field {
        name: field.json_name.clone(),
        json: field.json_name.clone(),
        number: field.number,
        label,
        ty,
        oneof: None,
        default: None,
        boxed: false,
        said: said(file, at),
    }
}

fn is_packable(ty: &Type) -> bool {
    use super::Scalar;

    !matches!(
        ty,
        Type::Message(_) | Type::Scalar(Scalar::String | Scalar::Bytes)
    )
}

/// The root first, then what is nested in it.
fn in_order(schema: &Schema) -> Vec<&schema::Message> {
    let others = schema.messages.values();
    let others = others.filter(|it| it.full_name != schema.root);
    std::iter::once(schema.root()).chain(others).collect()
}

/// The JSON path of a section's message, whose name is free.
fn section_root(file: &SchemaFile, section: &str) -> String {
    file.only_child(section)
        .unwrap_or_else(|| section.to_owned())
}

fn full_name(file: &SchemaFile, of_schema: &str) -> String {
    format!("{}{of_schema}", file.package)
}

fn said(file: &SchemaFile, at: &str) -> Said {
    Said {
        place: file.place(at),
        comments: Comments::default(),
        deprecated: false,
    }
}
