//! From the model to the facts that a lock holds, and where each of them is declared.

use std::collections::{BTreeMap, BTreeSet};

use super::change::Places;
use super::model::{Bodies, Enum, Field, Idempotency, Label, Lock, Message, Rpc, Type};
use crate::model;

/// Packages of options, which count only where an rpc carries one of their messages.
const VOCABULARIES: [&str; 3] = ["google.api", "google.rpc", "buf.validate"];

/// The lock of what is there now.
pub(crate) fn read(model: &model::Model) -> (Lock, Places) {
    let mut lock = Lock::default();
    let mut places = BTreeMap::new();
    for service in model
        .packages
        .values()
        .flat_map(|package| &package.services)
    {
        places.insert(service.full_name.clone(), service.said.place.to_string());
        for method in &service.methods {
            let name = format!("{}/{}", service.full_name, method.name);
            places.insert(name.clone(), method.said.place.to_string());
            lock.rpcs.insert(name, rpc(method));
        }
    }
    let wanted = wanted(model);
    for message in model
        .messages
        .values()
        .filter(|it| wanted.contains(&*it.full_name))
    {
        let name = &message.full_name;
        places.insert(name.clone(), message.said.place.to_string());
        for field in &message.fields {
            let at = format!("{name}.{}", field.name);
            places.insert(at, field.said.place.to_string());
        }
        lock.messages.insert(name.clone(), self::message(message));
    }
    for found in model
        .enums
        .values()
        .filter(|it| wanted.contains(&*it.full_name))
    {
        let name = &found.full_name;
        places.insert(name.clone(), found.said.place.to_string());
        for value in &found.values {
            let at = format!("{name}.{}", value.name);
            places.insert(at, value.said.place.to_string());
        }
        lock.enums.insert(name.clone(), enumeration(found));
    }
    (lock, Places(places))
}

/// The types that somebody may rely on: those of the contracts, and of others what rpcs carry.
fn wanted(model: &model::Model) -> BTreeSet<&str> {
    let is_own = |package: &str| !VOCABULARIES.contains(&package);
    let methods = model
        .packages
        .values()
        .flat_map(|package| &package.services);
    let methods = methods.flat_map(|service| &service.methods);
    let carried = methods.flat_map(|method| [method.input.as_str(), method.output.as_str()]);
    let declared = model.messages.values().filter(|it| is_own(&it.package));
    let mut wanted: BTreeSet<&str> = model
        .enums
        .values()
        .filter(|it| is_own(&it.package) && !is_well_known(&it.full_name))
        .map(|it| it.full_name.as_str())
        .collect();
    let mut seen = BTreeSet::new();
    let mut pending: Vec<&str> = declared
        .map(|it| it.full_name.as_str())
        .chain(carried)
        .collect();
    while let Some(name) = pending.pop() {
        if !seen.insert(name) {
            continue;
        }
        let found = model.messages.get(name).filter(|it| !it.is_well_known());
        for field in found.into_iter().flat_map(|message| &message.fields) {
            match &field.ty {
                model::Type::Message(name) | model::Type::Enum(name) => pending.push(name),
                model::Type::Scalar(_) => {}
            }
        }
        if !is_well_known(name) {
            wanted.insert(name);
        }
    }
    wanted
}

fn is_well_known(full_name: &str) -> bool {
    full_name.starts_with("google.protobuf.")
}

fn rpc(method: &model::Method) -> Rpc {
    Rpc {
        input: method.input.clone(),
        output: method.output.clone(),
        hash: method.contract_hash.clone(),
        streaming: method.streaming,
        deprecated: method.said.deprecated,
        idempotency: match method.idempotency {
            model::Idempotency::Unknown => Idempotency::Unknown,
            model::Idempotency::Idempotent => Idempotency::Idempotent,
            model::Idempotency::NoSideEffects => Idempotency::NoSideEffects,
        },
        http: method
            .http
            .iter()
            .map(|rule| {
                let bodies = Bodies {
                    request: rule.body.clone().unwrap_or_default(),
                    reply: rule.response_body.clone().unwrap_or_default(),
                };
                (format!("{} {}", rule.method, rule.path), bodies)
            })
            .collect(),
    }
}

fn message(message: &model::Message) -> Message {
    let field = |field: &model::Field| Field {
        name: field.name.clone(),
        json: field.json.clone(),
        label: label(field),
        ty: match &field.ty {
            model::Type::Scalar(scalar) => Type::Scalar(scalar.keyword().to_owned()),
            model::Type::Message(name) => Type::Message(name.clone()),
            model::Type::Enum(name) => Type::Enum(name.clone()),
        },
        oneof: field.oneof.map(|group| message.oneofs[group].name.clone()),
        default: field.default.clone(),
        deprecated: field.said.deprecated,
    };
    Message {
        fields: message
            .fields
            .iter()
            .map(|it| (it.number, field(it)))
            .collect(),
        reserved: message
            .reserved
            .iter()
            .map(|it| (*it.start(), *it.end()))
            .collect(),
        reserved_names: message.reserved_names.iter().cloned().collect(),
    }
}

fn enumeration(found: &model::Enum) -> Enum {
    let first = found.values.first().filter(|_| found.closed);
    let mut numbers = BTreeSet::new();
    let others = found.values.iter();
    let others = others.filter(|it| !numbers.insert(it.number));
    Enum {
        default: first.map(|it| it.name.clone()),
        aliases: others.map(|it| it.name.clone()).collect(),
        values: found
            .values
            .iter()
            .map(|it| (it.name.clone(), it.number))
            .collect(),
        reserved: found
            .reserved
            .iter()
            .map(|it| (*it.start(), *it.end()))
            .collect(),
        reserved_names: found.reserved_names.iter().cloned().collect(),
    }
}

/// That a message or a member of a oneof may be absent goes without saying.
fn label(field: &model::Field) -> Label {
    let may_be_absent_anyway = field.oneof.is_some() || field.message().is_some();
    match field.label {
        model::Label::Implicit => Label::Plain,
        model::Label::Explicit if may_be_absent_anyway => Label::Plain,
        model::Label::Explicit => Label::Optional,
        model::Label::Required { .. } => Label::Required,
        model::Label::Repeated { .. } => Label::Repeated,
        model::Label::Map(key) => Label::Map(key.keyword().to_owned()),
    }
}
