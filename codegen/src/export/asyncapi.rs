//! AsyncAPI 3 of event messages.
//!
//! An event is an address with the message that is published there; the list of them comes from
//! the caller, since a message does not say that it is an event.
//!
//! Refuses a message that is not among the contracts and an address that is listed twice.
//! Invariant: every `$ref` of the document has its target.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::json_schema::Schemas;
use super::openapi::About;
use super::text::summary;
use crate::error::{Error, Fault};
use crate::model::{Message, Model};
use crate::render::plain;

/// An event: where it is published, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its address, such as `order.placed`.
    pub address: String,
    /// Full name of its message, without a leading dot.
    pub message: String,
}

/// The events with their messages.
///
/// # Errors
///
/// Every event whose message is unknown, and addresses that are one to a document; `list` is where
/// they are listed.
pub(crate) fn known<'m, 'e>(
    model: &'m Model,
    events: &'e [Event],
    list: &Path,
) -> Result<Vec<(&'e Event, &'m Message)>, Error> {
    let mut faults = Vec::new();
    let mut found = Vec::new();
    let mut taken = BTreeMap::new();
    for event in events {
        if let Some(other) = taken.insert(id(&event.address), &event.address) {
            let text = format!(
                "events `{other}` and `{}` are one address: keep one of them",
                event.address
            );
            faults.push(Fault::new(list, text));
        }
        match model.messages.get(&event.message) {
            Some(message) => found.push((event, message)),
            None => faults.push(Fault::new(list, unknown(model, event))),
        }
    }
    Error::unless_empty(faults)?;
    Ok(found)
}

/// The document of these events; `list` is where they were listed, for faults.
pub(crate) fn asyncapi(
    model: &Model,
    about: &About,
    events: &[Event],
    list: &Path,
) -> Result<Value, Error> {
    let mut schemas = Schemas::new(model);
    let (mut channels, mut operations) = (Map::new(), Map::new());
    let mut messages = Map::new();
    for (event, message) in known(model, events, list)? {
        let id = id(&event.address);
        let name = message.full_name.as_str();
        let channel = json!({
            "address": event.address,
            "messages": { name: { "$ref": format!("#/components/messages/{name}") } },
        });
        let operation = json!({
            "action": "send",
            "channel": { "$ref": format!("#/channels/{id}") },
            "messages": [{ "$ref": format!("#/channels/{id}/messages/{name}") }],
        });
        operations.insert(format!("publish.{id}"), operation);
        channels.insert(id, channel);
        let text = plain(&message.said.comments);
        let mut described = json!({
            "name": name,
            "contentType": "application/json",
            "payload": schemas.message(name),
        });
        if !text.is_empty() {
            described["summary"] = summary(&text).into();
        }
        messages.insert(name.to_owned(), described);
    }
    let schemas: Map<String, Value> = schemas.finish().into_iter().collect();
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": { "title": about.title, "version": about.version },
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas },
    }))
}

fn unknown(model: &Model, event: &Event) -> String {
    let short = event.message.rsplit('.').next().unwrap_or_default();
    let alike = model.messages.values().find(|it| it.name == short);
    let hint = match alike {
        Some(message) => format!("did you mean `{}`?", message.full_name),
        None => "write its full name, such as `shop.orders.v1.OrderPlaced`".to_owned(),
    };
    format!(
        "event `{}`: no contract has a message `{}`: {hint}",
        event.address, event.message
    )
}

/// Keys of the document are letters, digits, `.`, `_` and `-`.
fn id(address: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '_'
        }
    };
    address.chars().map(keep).collect()
}
