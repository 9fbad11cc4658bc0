//! The message description that a registration carries, read back: names and types by number.
//!
//! Best effort, as the description is: it has the message itself and the types nested inside, but
//! none of its neighbours. A field of such a type is [`Type::Opaque`].
//!
//! Invariant: every index in a [`Type`] is one of the same description.

use std::collections::HashMap;

use serde_json::Value;

/// Deepest nesting of types that is read.
const DEPTH_MAX: usize = 32;

/// A root message and the types nested inside it.
#[derive(Debug, Default)]
pub(super) struct Description {
    messages: Vec<Message>,
    enums: Vec<HashMap<i64, String>>,
}

/// A message: its fields by number.
pub(super) type Message = HashMap<u32, Field>;

/// A field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) shape: Shape,
}

/// How many values a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    Many,
    /// Many, each under a key of this type.
    Keyed(Scalar),
}

/// What one value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Scalar(Scalar),
    Message(usize),
    Enum(usize),
    /// A message or enum that the description does not contain.
    Opaque,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Float,
    Double,
    String,
    Bytes,
}

impl Scalar {
    fn from_keyword(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "bool" => Self::Bool,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            "sint32" => Self::Sint32,
            "sint64" => Self::Sint64,
            "fixed32" => Self::Fixed32,
            "fixed64" => Self::Fixed64,
            "sfixed32" => Self::Sfixed32,
            "sfixed64" => Self::Sfixed64,
            "float" => Self::Float,
            "double" => Self::Double,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            _ => return None,
        })
    }
}

/// A message of the tree that is being read, and its place in it: `Outer.Inner`, empty for the
/// root.
struct Node<'j> {
    index: usize,
    path: String,
    json: &'j Value,
}

#[derive(Default)]
struct Tree<'j> {
    nodes: Vec<Node<'j>>,
    types: HashMap<String, Type>,
}

impl Description {
    /// Reads the JSON of one message; `None` when it is none.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        let root: Value = serde_json::from_slice(json).ok()?;
        root.get("fields")?.as_object()?;
        let (mut description, mut tree) = (Self::default(), Tree::default());
        description.declare(String::new(), &root, &mut tree, 0);
        for node in &tree.nodes {
            let fields = members(node.json, "fields");
            let fields = fields.filter_map(|(name, json)| field(name, json, &node.path, &tree));
            description.messages[node.index] = fields.collect();
        }
        Some(description)
    }

    pub(super) fn root(&self) -> &Message {
        &self.messages[0]
    }

    pub(super) fn message(&self, index: usize) -> &Message {
        &self.messages[index]
    }

    /// The constant of this number.
    pub(super) fn constant(&self, index: usize, number: i64) -> Option<&str> {
        self.enums[index].get(&number).map(String::as_str)
    }

    fn declare<'j>(&mut self, path: String, json: &'j Value, tree: &mut Tree<'j>, depth: usize) {
        if let Some(values) = json.get("values").and_then(Value::as_object) {
            let constants = values
                .iter()
                .filter_map(|(name, number)| Some((number.as_i64()?, name.clone())));
            self.enums.push(constants.collect());
            tree.types.insert(path, Type::Enum(self.enums.len() - 1));
            return;
        }
        let index = self.messages.len();
        self.messages.push(Message::new());
        tree.types.insert(path.clone(), Type::Message(index));
        if depth < DEPTH_MAX {
            for (name, inner) in members(json, "nested") {
                self.declare(join(&path, name), inner, tree, depth + 1);
            }
        }
        tree.nodes.push(Node { index, path, json });
    }
}

fn members<'j>(json: &'j Value, key: &str) -> impl Iterator<Item = (&'j String, &'j Value)> {
    json.get(key)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn field(name: &str, json: &Value, path: &str, tree: &Tree<'_>) -> Option<(u32, Field)> {
    let number = u32::try_from(json.get("id")?.as_u64()?).ok()?;
    let ty = json.get("type")?.as_str()?;
    let keyword = |key: &str| json.get(key).and_then(Value::as_str);
    let shape = match (keyword("keyType"), keyword("rule")) {
        (Some(key), _) => Shape::Keyed(Scalar::from_keyword(key)?),
        (None, Some("repeated")) => Shape::Many,
        (None, _) => Shape::One,
    };
    let ty = match Scalar::from_keyword(ty) {
        Some(scalar) => Type::Scalar(scalar),
        None => tree.find(path, ty).unwrap_or(Type::Opaque),
    };
    let name = name.to_owned();
    Some((number, Field { name, ty, shape }))
}

impl Tree<'_> {
    /// The type that `name` means inside the message at `path`: the nearest one. A full name says
    /// package and root first, which the description does not know, so those may be left off.
    fn find(&self, path: &str, name: &str) -> Option<Type> {
        let mut rest = name.trim_start_matches('.');
        loop {
            let mut scope = path;
            loop {
                if let Some(ty) = self.types.get(&join(scope, rest)) {
                    return Some(*ty);
                }
                if scope.is_empty() {
                    break;
                }
                scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
            }
            rest = rest.split_once('.')?.1;
        }
    }
}
