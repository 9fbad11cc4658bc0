//! Errors that are part of a contract, and what of them travels.
//!
//! On the wire of a call an error is a code and a message. What else it holds follows the message
//! as one JSON object: `out of stock {"sku":"A-1"}`. So a caller in another language reads the
//! text, and one with the type reads the fields.
//!
//! Invariant: the object is found again whatever the text says and whatever it holds: it is the last
//! place from which the rest of the message is one object.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// HTTP status of an error that names none: the request was understood and refused.
pub const STATUS_DEFAULT: u16 = 422;

/// Members of a problem that are none of the error's fields; a field cannot be called like them.
const STANDARD: [&str; 8] = [
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "code",
    "retryable",
    "trace",
];

/// What separates the text from the fields; its last two characters belong to the fields.
const FIELDS_BEGIN: &str = " {\"";

/// An error that is part of the contract: a code and a text that travel to the caller, who gets
/// the same type back with [`CallError::business`](crate::CallError::business).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel to the caller as a business error",
    label = "not a business error",
    note = "put `#[derive(Debug, bridge::Error)]` on the enum"
)]
pub trait BusinessError: Sized {
    /// The code, free text chosen by the application: `CARD_DECLINED`.
    fn code(&self) -> &'static str;

    /// The text that travels: for people, and behind it the [`fields`](Self::fields), if there are
    /// any.
    fn message(&self) -> String;

    /// The error with this code, if it is one of this type.
    fn from_wire(code: &str, message: &str) -> Option<Self>;

    /// The HTTP status, 400 to 599.
    fn status(&self) -> u16 {
        STATUS_DEFAULT
    }

    /// The number of the gRPC status of a gRPC service of one's own, for which there is
    /// [`bridge::grpc_details`](crate::grpc_details). Calls of the mesh and HTTP do not send it.
    fn grpc(&self) -> i32 {
        grpc_of(self)
    }

    /// Whether the same request may succeed later, without anybody changing anything. Then nothing was
    /// done for it, and its answer is not kept for an idempotency key.
    fn retryable(&self) -> bool {
        false
    }

    /// What it holds besides its text.
    fn fields(&self) -> ErrorFields {
        ErrorFields::default()
    }
}

/// For handlers that cannot fail.
impl BusinessError for Infallible {
    fn code(&self) -> &'static str {
        match *self {}
    }

    fn message(&self) -> String {
        match *self {}
    }

    fn from_wire(_: &str, _: &str) -> Option<Self> {
        None
    }
}

/// The number of the gRPC status that says the same as an error's HTTP status.
pub fn grpc_of<E: BusinessError>(error: &E) -> i32 {
    match error.status() {
        400 => 3,
        401 => 16,
        403 => 7,
        404 | 410 => 5,
        409 => 10,
        416 => 11,
        429 => 8,
        499 => 1,
        501 => 12,
        503 => 14,
        504 => 4,
        500..=599 => 13,
        _ => 9,
    }
}

/// A value that an error can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel with an error",
    label = "cannot be written as JSON and read back",
    note = "derive `serde::Serialize` and `serde::Deserialize`, or mark it `#[source]`"
)]
pub trait ErrorField: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> ErrorField for T {}

/// What an error holds besides its text, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ErrorFields(Map<String, Value>);

impl ErrorFields {
    /// Adds the field `name`. A value that JSON does not bring back (a map with keys that are no
    /// text, a number that is infinite or `NaN`) is left out, and the error then comes back as its
    /// code alone.
    #[must_use]
    pub fn with<T: ErrorField>(mut self, name: &str, value: &T) -> Self {
        if let Ok(value) = serde_json::to_value(value)
            && T::deserialize(&value).is_ok()
        {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// The members of problem details that are not what every problem has.
    pub(crate) fn of_problem(problem: &Map<String, Value>) -> Self {
        let is_own = |name: &str| !STANDARD.contains(&name);
        let own = problem.iter().filter(|(name, _)| is_own(name));
        Self(
            own.map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A message of these fields.
    pub(crate) fn behind(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        // A map of values always has a text.
        let fields = serde_json::to_string(&self.0).unwrap_or_default();
        format!("{text} {fields}")
    }

    fn take<T: ErrorField>(&mut self, name: &str) -> Option<T> {
        serde_json::from_value(self.0.remove(name)?).ok()
    }

    /// The fields behind the text of a message.
    pub fn of_message(message: &str) -> Option<Self> {
        // Inside of a text of the object they can stand, too, but no object begins there.
        let mut begins = message.rmatch_indices(FIELDS_BEGIN);
        begins.find_map(|(begin, _)| serde_json::from_str(&message[begin + 1..]).ok().map(Self))
    }

    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// The type of a field. One that cannot travel was refused where it was added, so reading it is
/// no second fault: the method of [`StrangeField`] is found then.
#[derive(Debug)]
pub struct Field<T>(PhantomData<fn() -> T>);

impl<T> Field<T> {
    /// A field of type `T`.
    #[expect(clippy::new_without_default, reason = "made by generated code only")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: ErrorField> Field<T> {
    /// Takes the field `name` out, if it is there and is a `T`.
    pub fn take(&self, fields: &mut ErrorFields, name: &str) -> Option<T> {
        fields.take(name)
    }
}

/// A field that cannot travel.
pub trait StrangeField<T> {
    /// Nothing.
    fn take(&self, _: &mut ErrorFields, _: &str) -> Option<T> {
        None
    }
}

impl<T> StrangeField<T> for Field<T> {}

/// The message of an error: its text, then its fields.
pub fn error_message<E: BusinessError + fmt::Display>(error: &E) -> String {
    error.fields().behind(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_text() {
        for text in [
            "",
            "out of stock",
            "got { \"a\": 1 }",
            "got {\"a\":1} {\"b\":2}",
        ] {
            for value in ["A-1", "x {\"y\":1}", "\" {\"", "{", "x {", "x {\\"] {
                let fields = ErrorFields::default().with("sku", &value.to_owned());
                let message = fields.behind(text);
                let mut found = ErrorFields::of_message(&message).unwrap();
                assert_eq!(
                    found.take::<String>("sku").as_deref(),
                    Some(value),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn a_message_without_fields_has_none() {
        for message in ["", "out of stock", "{}", " {\"sku\"", " {\"sku\":}"] {
            assert_eq!(ErrorFields::of_message(message), None, "{message}");
        }
    }
}
