//! Tables of messages that are only known at run time, from their descriptors: for tools, tests,
//! and whoever shows payloads of services written elsewhere.
//!
//! Tables live as long as the process, so a pool is made once for each set of descriptors, not once
//! for each request. Refuses groups. Invariant: the same contract gives the same table here as from
//! the generator.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor,
    Kind as Described, MessageDescriptor, Syntax,
};

use super::table::{EnumTable, FieldTable, Form, Kind, Label, MessageTable, Scalar};
use super::well_known;
use crate::schema::ValueKind;

/// Descriptors that have no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// A field is a group, which JSON has no form for here.
    #[error("the field {field} is a group; make it a message")]
    Group {
        /// Full name of the field.
        field: String,
    },
}

type Place = &'static OnceLock<MessageTable>;

/// The tables of all messages of some descriptors.
#[derive(Clone, Debug)]
pub struct Pool {
    tables: HashMap<&'static str, Place>,
}

impl Pool {
    /// Makes a table for every message. They are never freed.
    ///
    /// # Errors
    ///
    /// A field that is a group.
    pub fn new(descriptors: &DescriptorPool) -> Result<Self, PoolError> {
        let messages = || descriptors.all_messages().filter(|it| !it.is_map_entry());
        let mut making = Making {
            tables: messages()
                .map(|it| (leak(it.full_name()), &*Box::leak(Box::default())))
                .collect(),
            enums: HashMap::new(),
            docs: HashMap::new(),
            requiring: requiring(descriptors),
        };
        for message in messages() {
            let table = making.message(&message)?;
            if let Some(place) = making.tables.get(message.full_name()) {
                // Each name comes once, so nothing is lost.
                let _ = place.set(table);
            }
        }
        Ok(Self {
            tables: making.tables,
        })
    }

    /// The table of a message, by its full name without a leading dot.
    #[must_use]
    pub fn table(&self, full_name: &str) -> Option<&'static MessageTable> {
        let well_known = well_known::find(full_name);
        well_known.or_else(|| self.tables.get(full_name)?.get())
    }

    /// All tables, in no order.
    pub fn tables(&self) -> impl Iterator<Item = &'static MessageTable> {
        self.tables.values().filter_map(|it| it.get())
    }
}

fn leak(text: &str) -> &'static str {
    match text {
        "" => "",
        _ => Box::leak(text.to_owned().into_boxed_str()),
    }
}

/// The messages from which a required field can be reached.
fn requiring(descriptors: &DescriptorPool) -> HashSet<String> {
    let mut requiring = HashSet::new();
    loop {
        let before = requiring.len();
        for message in descriptors.all_messages() {
            let requires = message.fields().any(|field| {
                let kind = field.kind();
                let inner = kind.as_message().map(MessageDescriptor::full_name);
                field.is_required() || inner.is_some_and(|it| requiring.contains(it))
            });
            if requires {
                requiring.insert(message.full_name().to_owned());
            }
        }
        if requiring.len() == before {
            return requiring;
        }
    }
}

/// Comments of a file by the path of what they belong to.
type Docs = HashMap<Vec<i32>, &'static str>;

struct Making {
    tables: HashMap<&'static str, Place>,
    enums: HashMap<String, &'static EnumTable>,
    docs: HashMap<String, Docs>,
    requiring: HashSet<String>,
}

impl Making {
    fn message(&mut self, message: &MessageDescriptor) -> Result<MessageTable, PoolError> {
        let mut fields = message
            .fields()
            .map(|it| self.field(&it))
            .collect::<Result<Vec<_>, _>>()?;
        fields.sort_by_key(|it| it.number);
        Ok(MessageTable {
            name: leak(message.full_name()),
            doc: self.doc(&message.parent_file(), message.path()),
            form: Form::Fields,
            requires: self.requiring.contains(message.full_name()),
            fields: Vec::leak(fields),
        })
    }

    fn field(&mut self, field: &FieldDescriptor) -> Result<FieldTable, PoolError> {
        if field.is_group() {
            let field = field.full_name().to_owned();
            return Err(PoolError::Group { field });
        }
        let (label, kind) = self.label_and_kind(field);
        let oneof = field.containing_oneof().filter(|it| !it.is_synthetic());
        let position = oneof.and_then(|oneof| {
            let mut oneofs = field.parent_message().oneofs();
            oneofs.position(|it| it.name() == oneof.name())
        });
        Ok(FieldTable {
            number: field.number(),
            name: leak(field.name()),
            json: leak(field.json_name()),
            doc: self.doc(&field.parent_file(), field.path()),
            label,
            kind,
            oneof: position.and_then(|it| u16::try_from(it).ok()),
        })
    }

    fn label_and_kind(&mut self, field: &FieldDescriptor) -> (Label, Kind) {
        let kind = field.kind();
        if let Some(entry) = kind.as_message().filter(|_| field.is_map()) {
            let key = match self.kind(&entry.map_entry_key_field().kind()) {
                Kind::Scalar(key) => key,
                _ => Scalar::String,
            };
            return (
                Label::Map(key),
                self.kind(&entry.map_entry_value_field().kind()),
            );
        }
        let label = match field.cardinality() {
            Cardinality::Required => Label::Required,
            Cardinality::Repeated => Label::Repeated {
                packed: field.is_packed(),
            },
            Cardinality::Optional if field.supports_presence() => Label::Explicit,
            Cardinality::Optional => Label::Implicit,
        };
        (label, self.kind(&kind))
    }

    fn kind(&mut self, kind: &Described) -> Kind {
        match ValueKind::from(kind) {
            ValueKind::Message(message) => {
                let name = message.full_name();
                match (well_known::find(name), self.tables.get(name)) {
                    (None, Some(place)) => Kind::Linked(place),
                    (found, _) => Kind::Message(found.unwrap_or(&well_known::EMPTY)),
                }
            }
            ValueKind::Enum(it) if it.full_name() == "google.protobuf.NullValue" => Kind::NullValue,
            ValueKind::Enum(it) => Kind::Enum(self.enumeration(it)),
            ValueKind::Scalar(scalar) => Kind::Scalar(scalar),
        }
    }

    fn enumeration(&mut self, it: &EnumDescriptor) -> &'static EnumTable {
        if let Some(table) = self.enums.get(it.full_name()) {
            return table;
        }
        // In the order of the file: the descriptor's own iterator sorts by number.
        let values = it.enum_descriptor_proto().value.iter();
        let values: Vec<_> = values.map(|it| (leak(it.name()), it.number())).collect();
        let table: &'static EnumTable = Box::leak(Box::new(EnumTable {
            name: leak(it.full_name()),
            doc: self.doc(&it.parent_file(), it.path()),
            closed: it.parent_file().syntax() == Syntax::Proto2,
            values: Vec::leak(values),
        }));
        self.enums.insert(it.full_name().to_owned(), table);
        table
    }

    fn doc(&mut self, file: &FileDescriptor, path: &[i32]) -> &'static str {
        let docs = self
            .docs
            .entry(file.name().to_owned())
            .or_insert_with(|| docs(file));
        docs.get(path).copied().unwrap_or_default()
    }
}

fn docs(file: &FileDescriptor) -> Docs {
    let info = file.file_descriptor_proto().source_code_info.iter();
    let locations = info.flat_map(|it| &it.location);
    locations
        .filter_map(|it| {
            let comment = it.leading_comments.as_deref()?;
            let lines: Vec<_> = comment.lines().map(str::trim).collect();
            Some((it.path.clone(), leak(lines.join("\n").trim())))
        })
        .collect()
}
