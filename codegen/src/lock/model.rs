//! What a lock holds: the facts about a contract that somebody else may rely on.
//!
//! Comments, options without meaning to a caller and the order of declaration are left out, so
//! that touching them is no change. Names are full, without a leading dot.
//!
//! Invariant: a message or an enum that an rpc or a field names is present, unless it is one of
//! the well-known ones.

use std::collections::{BTreeMap, BTreeSet};

use super::access::Access;
use super::entry::Shape;

/// The accepted state of a contract, or the present one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lock {
    /// By `package.Service/Method`.
    pub rpcs: BTreeMap<String, Rpc>,
    /// By full name.
    pub messages: BTreeMap<String, Message>,
    /// By full name.
    pub enums: BTreeMap<String, Enum>,
    /// HTTP operations that are no rpc, by `METHOD /path`; `None` when nobody described them.
    pub routes: Option<BTreeMap<String, Route>>,
    /// Messages that are published, by address; `None` when nobody listed them.
    pub events: Option<BTreeMap<String, String>>,
    /// Whether it was read from a file of the first format, which says less.
    pub(super) is_first_format: bool,
}

/// One rpc.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rpc {
    /// Full name of the request message.
    pub input: String,
    /// Full name of the reply message.
    pub output: String,
    /// The identity by which calls are routed.
    pub hash: String,
    /// Whether it answers with a stream.
    pub streaming: bool,
    /// Whether it is marked `deprecated`.
    pub deprecated: bool,
    /// What a repeat of a call does.
    pub idempotency: Idempotency,
    /// Its HTTP forms, as `METHOD /path` and the parts of the messages that travel as bodies.
    pub http: BTreeMap<String, Bodies>,
}

/// Whether a call may be repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Idempotency {
    /// Nothing is promised.
    #[default]
    Unknown,
    /// A repeat has no further effect.
    Idempotent,
    /// It changes nothing.
    NoSideEffects,
}

/// Which parts of the messages are HTTP bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bodies {
    /// The field of the request that is the body; `*` for all that the path leaves, empty for none.
    pub request: String,
    /// The field of the reply that is the body; empty for the whole reply.
    pub reply: String,
}

/// A message type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// By number.
    pub fields: BTreeMap<u32, Field>,
    /// Numbers that may not come back, as first and last.
    pub reserved: BTreeSet<(u32, u32)>,
    /// Names that may not come back.
    pub reserved_names: BTreeSet<String>,
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Its name as in the file.
    pub name: String,
    /// Its name in JSON.
    pub json: String,
    /// How many values it holds.
    pub label: Label,
    /// The type of one value.
    pub ty: Type,
    /// The oneof it belongs to.
    pub oneof: Option<String>,
    /// The proto2 default.
    pub default: Option<String>,
    /// Whether it is marked `deprecated`.
    pub deprecated: bool,
}

/// How many values a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Label {
    /// One; absent and its zero are the same.
    Plain,
    /// One or none.
    Optional,
    /// Exactly one.
    Required,
    /// Any number.
    Repeated,
    /// Any number, each under a key of this scalar type.
    Map(String),
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// A scalar, by its keyword.
    Scalar(String),
    /// A message, by its full name.
    Message(String),
    /// An enum, by its full name.
    Enum(String),
}

/// An enum type: its constants with their numbers, and what may not come back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enum {
    /// What an absent value means where that is not the number 0: the first constant of proto2.
    pub default: Option<String>,
    /// Number by name; with aliases a number appears more than once.
    pub values: BTreeMap<String, i32>,
    /// Names that are not the first one of their number, which is the one that JSON is written with.
    pub aliases: BTreeSet<String>,
    /// Numbers that may not come back, as first and last.
    pub reserved: BTreeSet<(i32, i32)>,
    /// Names that may not come back.
    pub reserved_names: BTreeSet<String>,
}

/// An HTTP operation that an OpenAPI document describes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Its `operationId`.
    pub operation: Option<String>,
    /// What it takes and gives, one entry for each value.
    pub shape: Shape,
    /// Where it is and whom it lets in; `None` when the lock does not say.
    pub access: Option<Access>,
}

impl Lock {
    /// The rpcs and events that hold the message or enum, at any depth.
    pub(crate) fn carriers_of(&self, type_name: &str) -> BTreeSet<String> {
        let holds = |roots: &[&str]| self.reachable(roots).contains(type_name);
        let rpcs = self
            .rpcs
            .iter()
            .filter(|(_, rpc)| holds(&[&rpc.input, &rpc.output]));
        let events = self.events.iter().flatten();
        let events = events.filter(|(_, message)| holds(&[message]));
        let events = events.map(|(address, _)| format!("event {address}"));
        rpcs.map(|(name, _)| name.clone()).chain(events).collect()
    }

    /// Whether an rpc, an event or a field is of the type.
    pub(crate) fn is_used(&self, type_name: &str) -> bool {
        let mut rpcs = self.rpcs.values();
        let mut events = self.events.iter().flatten();
        let mut fields = self.messages.values().flat_map(|it| it.fields.values());
        rpcs.any(|rpc| rpc.input == type_name || rpc.output == type_name)
            || events.any(|(_, message)| message == type_name)
            || fields.any(|field| field.ty.name() == Some(type_name))
    }

    fn reachable<'l>(&'l self, from: &[&'l str]) -> BTreeSet<&'l str> {
        let mut seen = BTreeSet::new();
        let mut pending = from.to_vec();
        while let Some(name) = pending.pop() {
            if !seen.insert(name) {
                continue;
            }
            let fields = self
                .messages
                .get(name)
                .map(|message| message.fields.values());
            pending.extend(
                fields
                    .into_iter()
                    .flatten()
                    .filter_map(|field| field.ty.name()),
            );
        }
        seen
    }

    /// Takes from `other` what nobody described here: routes, events.
    #[must_use]
    pub fn or_as_in(mut self, other: &Lock) -> Self {
        self.routes = self.routes.or_else(|| other.routes.clone());
        self.events = self.events.or_else(|| other.events.clone());
        self
    }
}

impl Type {
    /// The full name of a message or an enum.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Scalar(_) => None,
            Self::Message(name) | Self::Enum(name) => Some(name),
        }
    }
}

impl Idempotency {
    /// The word for it in the lock.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Idempotent => "idempotent",
            Self::NoSideEffects => "no_side_effects",
        }
    }
}
