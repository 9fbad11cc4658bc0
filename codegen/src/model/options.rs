//! Options of other vocabularies that mean something here: plain HTTP, and fields that must be set.
//!
//! They are extensions of the descriptors, so they are read through reflection, by their numbers:
//! a copy of `annotations.proto` under another path says the same.
//!
//! Invariant: an option in a form that is not known is as good as none.

use prost_reflect::{DynamicMessage, FieldDescriptor, MethodDescriptor, Value};

use super::{HttpRule, Idempotency};

/// `google.api.http` of a method.
const HTTP: u32 = 72_295_728;
/// `google.api.field_behavior` of a field, and its constant `REQUIRED`.
const FIELD_BEHAVIOR: u32 = 1_052;
const BEHAVIOR_REQUIRED: i32 = 2;
/// `buf.validate.field` of a field, and the field `required` in it.
const VALIDATE_FIELD: u32 = 1_159;
const VALIDATE_REQUIRED: u32 = 25;

/// The HTTP bindings of a method, the main one first.
pub(super) fn http_rules(method: &MethodDescriptor) -> Vec<HttpRule> {
    let Some(Value::Message(rule)) = extension(&method.options(), HTTP) else {
        return Vec::new();
    };
    let more = rule.get_field_by_name("additional_bindings");
    let more = more.as_deref().and_then(Value::as_list).unwrap_or_default();
    let additional = more.iter().filter_map(Value::as_message);
    std::iter::once(&rule)
        .chain(additional)
        .filter_map(http_rule)
        .collect()
}

fn http_rule(rule: &DynamicMessage) -> Option<HttpRule> {
    let text = |name: &str| {
        let value = rule.get_field_by_name(name)?;
        let text = value.as_str()?.to_owned();
        (!text.is_empty()).then_some(text)
    };
    let standard = ["get", "put", "post", "delete", "patch"]
        .into_iter()
        .find_map(|verb| Some((verb.to_uppercase(), text(verb)?)));
    let (method, path) = match standard {
        Some(found) => found,
        None => custom(rule)?,
    };
    Some(HttpRule {
        method,
        path,
        body: text("body"),
        response_body: text("response_body"),
    })
}

fn custom(rule: &DynamicMessage) -> Option<(String, String)> {
    let custom = rule.get_field_by_name("custom")?;
    let custom = custom.as_message()?;
    let text = |name: &str| Some(custom.get_field_by_name(name)?.as_str()?.to_owned());
    Some((text("kind")?, text("path")?)).filter(|(_, path)| !path.is_empty())
}

/// Whether an option says that the field must be set.
pub(super) fn is_required(field: &FieldDescriptor) -> bool {
    let options = field.options();
    let behaves = match extension(&options, FIELD_BEHAVIOR) {
        Some(Value::List(behaviors)) => behaviors
            .iter()
            .any(|it| it.as_enum_number() == Some(BEHAVIOR_REQUIRED)),
        _ => false,
    };
    let validated = match extension(&options, VALIDATE_FIELD) {
        Some(Value::Message(rules)) => rules
            .get_field_by_number(VALIDATE_REQUIRED)
            .is_some_and(|it| it.as_bool() == Some(true)),
        _ => false,
    };
    behaves || validated
}

/// What `idempotency_level` says.
pub(super) fn idempotency(method: &MethodDescriptor) -> Idempotency {
    use prost_types::method_options::IdempotencyLevel;

    let proto = method.method_descriptor_proto();
    let level = proto.options.as_ref().map(|it| it.idempotency_level());
    match level.unwrap_or_default() {
        IdempotencyLevel::IdempotencyUnknown => Idempotency::Unknown,
        IdempotencyLevel::NoSideEffects => Idempotency::NoSideEffects,
        IdempotencyLevel::Idempotent => Idempotency::Idempotent,
    }
}

fn extension(options: &DynamicMessage, number: u32) -> Option<Value> {
    options
        .extensions()
        .find(|(extension, _)| extension.number() == number)
        .map(|(_, value)| value.clone())
}
