//! What every output is made from: packages with their services, messages and enums.
//!
//! One model for all three inputs: compiled `.proto` files, descriptor sets, `.schema.json` files.
//! Whoever renders, exports or compares a contract reads this and nothing else.
//!
//! Refuses nothing that it can show: what a contract cannot carry is left out and listed in
//! [`Model::unsupported`], for the caller to refuse or to report.
//!
//! Invariant: every name that a [`Type`] or a method holds is a key of the model.

mod closure;
mod options;

mod enums;
mod messages;
mod services;

mod schema_files;

mod build;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

pub(crate) use contract::schema::Scalar;

pub(crate) use build::build;

use crate::error::Fault;
use crate::names;
use crate::place::Said;

/// The one well-known enum; it has a single value and a form of its own in JSON.
pub(crate) const NULL_VALUE: &str = "google.protobuf.NullValue";

/// All packages of one compilation.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// By package name; the name is empty for files without one.
    pub(crate) packages: BTreeMap<String, Package>,
    /// By full name without a leading dot; those of `google.protobuf` among them.
    pub(crate) messages: BTreeMap<String, Message>,
    /// By full name without a leading dot.
    pub(crate) enums: BTreeMap<String, Enum>,
    /// What was left out because a contract cannot carry it.
    pub(crate) unsupported: Vec<Fault>,
    /// What is missing for no reason of its own, but because of something unsupported.
    pub(crate) consequences: Vec<Fault>,
}

/// One package, from one or more files.
#[derive(Debug, Default)]
pub(crate) struct Package {
    /// Import names of its files, in order of compilation.
    pub(crate) files: Vec<String>,
    /// Full names of its outermost messages, in order of declaration.
    pub(crate) messages: Vec<String>,
    /// Full names of its outermost enums, in order of declaration.
    pub(crate) enums: Vec<String>,
    pub(crate) services: Vec<Service>,
    /// Its Rust modules, outermost first.
    pub(crate) modules: Vec<String>,
}

/// A message type.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) name: String,
    /// Without a leading dot.
    pub(crate) full_name: String,
    pub(crate) package: String,
    /// Names of the messages around it, outermost first.
    pub(crate) outer: Vec<String>,
    pub(crate) origin: Origin,
    /// The Rust module of the types inside it.
    pub(crate) module: String,
    /// In order of declaration.
    pub(crate) fields: Vec<Field>,
    /// Those that a person declared, not those that stand for a proto3 `optional`.
    pub(crate) oneofs: Vec<Oneof>,
    /// Full names of the messages declared inside it, map entries left out.
    pub(crate) messages: Vec<String>,
    /// Full names of the enums declared inside it.
    pub(crate) enums: Vec<String>,
    pub(crate) reserved: Vec<RangeInclusive<u32>>,
    pub(crate) reserved_names: Vec<String>,
    /// Whether it, or a message that it leads to, has a required field.
    pub(crate) requires: bool,
    pub(crate) said: Said,
}

/// Where a type was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Proto2,
    Proto3,
    /// A `.schema.json` file.
    SchemaJson,
    /// A well-known type: Rust types for it exist, none are generated.
    WellKnown,
}

/// A field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    /// As in the file.
    pub(crate) name: String,
    /// The name to use in JSON.
    pub(crate) json: String,
    pub(crate) number: u32,
    pub(crate) label: Label,
    /// The type of one value; for a map, of the map's values.
    pub(crate) ty: Type,
    /// Index of its group in [`Message::oneofs`].
    pub(crate) oneof: Option<usize>,
    /// The proto2 default as its descriptor spells it.
    pub(crate) default: Option<String>,
    /// Whether a value of it lives on the heap, for the type to have a size.
    pub(crate) boxed: bool,
    pub(crate) said: Said,
}

/// How many values a field holds, and how absence shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// Always there; the default is not written.
    Implicit,
    /// There or not: messages, `optional`, members of a oneof.
    Explicit,
    /// Always there, always written.
    Required {
        /// By the keyword of proto2, not by an option.
        keyword: bool,
    },
    Repeated {
        packed: bool,
    },
    /// Each value under a key of this type.
    Map(Scalar),
}

/// The type of one value. Names are full names without a leading dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Scalar(Scalar),
    Message(String),
    Enum(String),
}

/// Fields of which at most one is set.
#[derive(Debug)]
pub(crate) struct Oneof {
    pub(crate) name: String,
    pub(crate) said: Said,
}

/// An enum type.
#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) name: String,
    /// Without a leading dot.
    pub(crate) full_name: String,
    pub(crate) package: String,
    /// Names of the messages around it, outermost first.
    pub(crate) outer: Vec<String>,
    /// Whether a number without a name is no value of it: enums of proto2.
    pub(crate) closed: bool,
    /// In order of declaration; never empty.
    pub(crate) values: Vec<EnumValue>,
    pub(crate) reserved: Vec<RangeInclusive<i32>>,
    pub(crate) reserved_names: Vec<String>,
    pub(crate) said: Said,
}

/// A constant of an enum.
#[derive(Debug)]
pub(crate) struct EnumValue {
    pub(crate) name: String,
    pub(crate) number: i32,
    pub(crate) said: Said,
}

/// One `service` block, or one folder of `.schema.json` files.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// Without a leading dot.
    pub(crate) full_name: String,
    pub(crate) package: String,
    pub(crate) methods: Vec<Method>,
    pub(crate) said: Said,
}

/// One unary or server-streaming rpc.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: String,
    /// Full names without a leading dot.
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) contract_hash: String,
    pub(crate) input_schema: String,
    pub(crate) output_schema: String,
    /// Whether the reply is a stream.
    pub(crate) streaming: bool,
    pub(crate) idempotency: Idempotency,
    /// The bindings of `google.api.http`, the main one first.
    pub(crate) http: Vec<HttpRule>,
    pub(crate) said: Said,
}

/// What `idempotency_level` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotency {
    Unknown,
    NoSideEffects,
    Idempotent,
}

/// One binding of an rpc to plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpRule {
    /// In upper case: `GET`.
    pub(crate) method: String,
    /// As in the option: `/v1/{name=orders/*}`.
    pub(crate) path: String,
    /// The field that the body holds, `*` for all that the path leaves.
    pub(crate) body: Option<String>,
    /// The field of the reply that is answered, if not the whole.
    pub(crate) response_body: Option<String>,
}

impl Model {
    /// Everything that is missing, for whatever reason.
    pub(crate) fn left_out(&self) -> Vec<Fault> {
        [&*self.unsupported, &*self.consequences].concat()
    }

    /// All messages of a package, those inside others among them.
    pub(crate) fn messages_of<'m>(&'m self, package: &'m Package) -> Vec<&'m Message> {
        let mut found = Vec::new();
        let mut pending: Vec<&String> = package.messages.iter().collect();
        while let Some(message) = pending.pop().and_then(|name| self.messages.get(name)) {
            pending.extend(&message.messages);
            found.push(message);
        }
        found
    }
}

impl Model {
    /// The Rust modules that the types inside a package's messages are in, outermost first.
    pub(crate) fn modules(&self, package: &str, outer: &[String]) -> Vec<String> {
        let known = self.packages.get(package);
        let known = known.map(|it| it.modules.clone());
        let mut modules = known.unwrap_or_else(|| names::modules(package));
        for depth in 1..=outer.len() {
            let full_name = qualified(package, &outer[..depth].join("."));
            let module = self.messages.get(&full_name).map(|it| it.module.clone());
            modules.push(module.unwrap_or_else(|| names::snake(&outer[depth - 1])));
        }
        modules
    }
}

/// The full name of what a package declares.
pub(crate) fn qualified(package: &str, name: &str) -> String {
    if package.is_empty() {
        name.to_owned()
    } else {
        format!("{package}.{name}")
    }
}

impl Message {
    pub(crate) fn is_well_known(&self) -> bool {
        self.origin == Origin::WellKnown
    }

    /// Whether the types inside it make up a module.
    pub(crate) fn has_module(&self) -> bool {
        !(self.messages.is_empty() && self.enums.is_empty() && self.oneofs.is_empty())
    }

    /// The fields of a group, in order of declaration.
    pub(crate) fn members(&self, oneof: usize) -> impl Iterator<Item = &Field> {
        let of_group = move |field: &&Field| field.oneof == Some(oneof);
        self.fields.iter().filter(of_group)
    }
}

impl Service {
    /// The Rust name of the type that stands for the contract.
    pub(crate) fn rust_name(&self) -> String {
        names::camel(&self.name)
    }

    /// The Rust name of the typed client.
    pub(crate) fn client_name(&self) -> String {
        names::camel(&format!("{}Client", self.name))
    }

    /// The Rust name of the trait that answers.
    pub(crate) fn server_name(&self) -> String {
        names::camel(&format!("{}Server", self.name))
    }
}

impl Field {
    /// The message that one value of it is, if it is one.
    pub(crate) fn message(&self) -> Option<&str> {
        match &self.ty {
            Type::Message(name) => Some(name),
            Type::Scalar(_) | Type::Enum(_) => None,
        }
    }

    /// Whether it holds one value at most.
    pub(crate) fn is_singular(&self) -> bool {
        !matches!(self.label, Label::Repeated { .. } | Label::Map(_))
    }
}
