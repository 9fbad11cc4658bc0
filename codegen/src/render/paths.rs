//! Paths to types, as seen from a module of generated code.
//!
//! Package `a.b` is module `a::b`, types inside message `M` are in module `m`, and `google.protobuf`
//! types that exist already come through the SDK.
//!
//! What other packages declare is reached through one `use` for each of them, so that a package
//! which is included without the others is that many errors, at lines that say what to do.
//!
//! Invariant: a path means the same type wherever the whole tree is included.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Enum, Field, Label, Message, Model, NULL_VALUE, Package, Scalar, Service, Type,
};
use crate::names;

/// Where the SDK re-exports the well-known types.
const WELL_KNOWN: &str = "::bridge::__rt::prost_types";

/// Well-known messages with their Rust types and tables; the first ones are plain Rust types.
const FOUNDATIONS: [(&str, &str, &str); 17] = [
    ("BoolValue", "bool", "BOOL_VALUE"),
    ("BytesValue", BYTES, "BYTES_VALUE"),
    ("DoubleValue", "f64", "DOUBLE_VALUE"),
    ("Empty", "()", "EMPTY"),
    ("FloatValue", "f32", "FLOAT_VALUE"),
    ("Int32Value", "i32", "INT32_VALUE"),
    ("Int64Value", "i64", "INT64_VALUE"),
    ("StringValue", "String", "STRING_VALUE"),
    ("UInt32Value", "u32", "UINT32_VALUE"),
    ("UInt64Value", "u64", "UINT64_VALUE"),
    ("Any", "Any", "ANY"),
    ("Duration", "Duration", "DURATION"),
    ("FieldMask", "FieldMask", "FIELD_MASK"),
    ("ListValue", "ListValue", "LIST_VALUE"),
    ("Struct", "Struct", "STRUCT"),
    ("Timestamp", "Timestamp", "TIMESTAMP"),
    ("Value", "Value", "VALUE"),
];

/// How many of [`FOUNDATIONS`] are plain Rust types.
const PLAIN: usize = 10;

const BYTES: &str = "::bridge::__rt::prost::bytes::Bytes";

/// Names of the standard library that generated types use.
const STD: [&str; 4] = ["Box", "Option", "String", "Vec"];

/// A module of generated code: that of a package, or that of the types inside a message.
pub(super) struct Scope<'m> {
    model: &'m Model,
    /// The package, and of how many modules its own one is.
    package: (&'m str, usize),
    modules: Vec<String>,
    /// What the package calls others.
    others: BTreeMap<&'m str, String>,
    /// Names of the standard library that mean something else in this package.
    taken: BTreeSet<String>,
}

impl<'m> Scope<'m> {
    /// The module of a package that refers to these others.
    pub(super) fn of_package(
        model: &'m Model,
        name: &'m str,
        package: &Package,
        others: &BTreeSet<&'m str>,
    ) -> Self {
        let messages = model.messages_of(package);
        let inside = messages.iter().flat_map(|it| &it.enums);
        let enums = package.enums.iter().chain(inside);
        let enums = enums.filter_map(|it| model.enums.get(it));
        let taken = enums
            .map(|it| names::camel(&it.name))
            .chain(messages.iter().map(|it| names::camel(&it.name)))
            .chain(package.services.iter().map(Service::rust_name));
        let modules = names::modules(name);
        Self {
            model,
            package: (name, modules.len()),
            modules,
            others: called(others),
            taken: taken.filter(|it| STD.contains(&it.as_str())).collect(),
        }
    }

    /// The module of the types inside a message that is declared here.
    pub(super) fn inside(&self, message: &Message) -> Self {
        let mut modules = self.modules.clone();
        modules.push(message.module.clone());
        Self {
            model: self.model,
            package: self.package,
            modules,
            others: self.others.clone(),
            taken: self.taken.clone(),
        }
    }

    pub(super) fn model(&self) -> &'m Model {
        self.model
    }

    /// A name of the standard library's prelude, in full where the package has one like it.
    pub(super) fn std(&self, name: &str) -> String {
        let full = match name {
            "Option" => "::core::option::Option",
            "Vec" => "::std::vec::Vec",
            "String" => "::std::string::String",
            "Box" => "::std::boxed::Box",
            _ => return name.to_owned(),
        };
        let is_taken = self.taken.contains(name);
        if is_taken { full } else { name }.to_owned()
    }

    /// The Rust type of a message.
    pub(super) fn message(&self, full_name: &str) -> String {
        if let Some(index) = foundation(full_name) {
            let (_, rust, _) = FOUNDATIONS[index];
            return match rust {
                "String" => self.std("String"),
                plain if index < PLAIN => plain.to_owned(),
                name => format!("{WELL_KNOWN}::{name}"),
            };
        }
        let Some(message) = self.model.messages.get(full_name) else {
            return names::camel(full_name);
        };
        let name = names::camel(&message.name);
        format!("{}{name}", self.way_to(&message.package, &message.outer))
    }

    /// The table of a message, as an expression.
    pub(super) fn message_table(&self, full_name: &str) -> String {
        if let Some(index) = foundation(full_name) {
            return format!("&__well_known::{}", FOUNDATIONS[index].2);
        }
        let Some(message) = self.model.messages.get(full_name) else {
            return names::camel(full_name);
        };
        let way = self.way_to(&message.package, &message.outer);
        format!("&{way}{}", table_name(&message.name))
    }

    /// The Rust type of an enum.
    pub(super) fn enumeration(&self, full_name: &str) -> String {
        if full_name == NULL_VALUE {
            return "::bridge::__rt::codec::NullValue".to_owned();
        }
        let found = &self.model.enums[full_name];
        let name = names::camel(&found.name);
        format!("{}{name}", self.way_to(&found.package, &found.outer))
    }

    /// What a table says about a type.
    pub(super) fn kind(&self, ty: &Type) -> String {
        match ty {
            Type::Scalar(scalar) => format!("Kind::Scalar(Scalar::{scalar:?})"),
            Type::Enum(name) if name == NULL_VALUE => "Kind::NullValue".to_owned(),
            Type::Enum(name) => {
                let found: &Enum = &self.model.enums[name];
                let way = self.way_to(&found.package, &found.outer);
                format!("Kind::Enum(&{way}{})", table_name(&found.name))
            }
            Type::Message(name) => format!("Kind::Message({})", self.message_table(name)),
        }
    }

    /// The Rust type of one value of a field, on the heap if need be.
    pub(super) fn value(&self, field: &Field) -> String {
        let plain = match &field.ty {
            Type::Scalar(scalar) => self.scalar(*scalar),
            Type::Enum(name) => self.enumeration(name),
            Type::Message(name) => self.message(name),
        };
        if field.boxed {
            format!("{}<{plain}>", self.std("Box"))
        } else {
            plain
        }
    }

    /// The Rust type of a field.
    pub(super) fn field(&self, field: &Field) -> String {
        let value = self.value(field);
        match field.label {
            Label::Implicit | Label::Required { .. } => value,
            Label::Explicit => format!("{}<{value}>", self.std("Option")),
            Label::Repeated { .. } => format!("{}<{value}>", self.std("Vec")),
            Label::Map(key) => {
                let key = self.scalar(key);
                format!("::std::collections::BTreeMap<{key}, {value}>")
            }
        }
    }

    fn scalar(&self, scalar: Scalar) -> String {
        match scalar {
            Scalar::Double => "f64",
            Scalar::Float => "f32",
            Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => "i32",
            Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => "i64",
            Scalar::Uint32 | Scalar::Fixed32 => "u32",
            Scalar::Uint64 | Scalar::Fixed64 => "u64",
            Scalar::Bool => "bool",
            Scalar::String => return self.std("String"),
            Scalar::Bytes => BYTES,
        }
        .to_owned()
    }

    /// The lines that the paths to other packages begin at.
    pub(super) fn uses(&self) -> impl Iterator<Item = String> {
        self.others.iter().map(|(package, called)| {
            let to = names::modules(package);
            let way = relative(&self.modules, &to);
            let way = way.join("::");
            let way = if to.starts_with(&self.modules) {
                format!("self::{way}")
            } else {
                way
            };
            format!("use {way} as {called}; // {TREE}")
        })
    }

    /// The way to where a package's types inside `outer` are: empty, or ending in `::`.
    pub(super) fn way_to(&self, package: &str, outer: &[String]) -> String {
        let to = self.model.modules(package, outer);
        let (own, depth) = self.package;
        let parts = match self.others.get(package) {
            Some(called) if package != own => {
                let up = self.modules[depth..].iter().map(|_| "super");
                let inside = to[to.len() - outer.len()..].iter();
                let inside = inside.map(String::as_str);
                up.chain([called.as_str()]).chain(inside).collect()
            }
            _ => relative(&self.modules, &to),
        };
        parts.iter().map(|part| format!("{part}::")).collect()
    }
}

/// What to do about a package that is not found.
const TREE: &str = "another package: include all, `bridge::include_contract!(\"mod\")`";

/// The parts of the way from one module to another.
fn relative<'t>(from: &[String], to: &'t [String]) -> Vec<&'t str> {
    let shared = to.iter().zip(from).take_while(|(to, from)| to == from);
    let shared = shared.count();
    let up = from[shared..].iter().map(|_| "super");
    let down = to[shared..].iter().map(String::as_str);
    up.chain(down).collect()
}

/// Names for other packages that differ from each other and from all that is generated.
fn called<'m>(packages: &BTreeSet<&'m str>) -> BTreeMap<&'m str, String> {
    let mut taken = BTreeSet::new();
    let mut name = |package: &str| {
        let modules = names::modules(package).join("_").replace("r#", "");
        let mut name = format!("__in_{modules}");
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    packages.iter().map(|it| (*it, name(it))).collect()
}

/// The name of a type's table. Two underscores, which no name made from a contract begins with.
pub(super) fn table_name(name: &str) -> String {
    format!("__TABLE_{}", names::camel(name).trim_start_matches("r#"))
}

/// The kind of value that encodes a type.
pub(super) fn codec(ty: &Type) -> &'static str {
    match ty {
        Type::Message(name) if name == "google.protobuf.DoubleValue" => "DoubleValue",
        Type::Message(name) if name == "google.protobuf.FloatValue" => "FloatValue",
        Type::Message(_) => "Msg",
        Type::Enum(_) => "Enum",
        Type::Scalar(scalar) => scalar_codec(*scalar),
    }
}

/// The kind of value that encodes a scalar.
pub(super) fn scalar_codec(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Double => "Double",
        Scalar::Float => "Float",
        Scalar::Int32 => "Int32",
        Scalar::Int64 => "Int64",
        Scalar::Uint32 => "Uint32",
        Scalar::Uint64 => "Uint64",
        Scalar::Sint32 => "Sint32",
        Scalar::Sint64 => "Sint64",
        Scalar::Fixed32 => "Fixed32",
        Scalar::Fixed64 => "Fixed64",
        Scalar::Sfixed32 => "Sfixed32",
        Scalar::Sfixed64 => "Sfixed64",
        Scalar::Bool => "Bool",
        Scalar::String => "Str",
        Scalar::Bytes => "Blob",
    }
}

fn foundation(full_name: &str) -> Option<usize> {
    let name = full_name.strip_prefix("google.protobuf.")?;
    FOUNDATIONS.iter().position(|(found, ..)| *found == name)
}
