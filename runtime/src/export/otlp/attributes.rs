//! Attributes of OTLP: looked up by name, and made into the JSON that is kept, without secrets.
//!
//! Refuses more than its budget of bytes: what does not fit is counted under `_dropped`.

use serde_json::{Map, Number, Value as Json, json};

use super::message::{AnyValue, KeyValue, Value};
use crate::telemetry::MaskKeys;

/// Longest text of one attribute, in bytes; the rest is cut.
const TEXT_BYTES_MAX: usize = 1_024;
/// How deep a value may nest; deeper ones become `null`.
const DEPTH_MAX: u32 = 8;
/// What stands for a secret.
const MASK: &str = "***";
/// Names whose values are addresses.
const URLS: [&str; 4] = ["url.full", "http.url", "http.target", "url.original"];
/// The name whose value is the query of one.
const QUERY: &str = "url.query";
/// Bytes that `"_dropped":12345,` takes.
const DROPPED_BYTES: usize = 20;

/// The text of an attribute; empty when it has none.
pub(super) fn text<'a>(all: &'a [KeyValue], keys: &[&str]) -> &'a str {
    let of = |key: &&str| all.iter().find(|it| it.key == *key);
    let value = |it: &'a KeyValue| match it.value.as_ref()?.value.as_ref()? {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    };
    let found = keys.iter().filter_map(of).filter_map(value);
    found
        .into_iter()
        .find(|it| !it.is_empty())
        .unwrap_or_default()
}

/// The whole number of an attribute, also when it was sent as text.
pub(super) fn number(all: &[KeyValue], keys: &[&str]) -> Option<i64> {
    let of = |key: &&str| all.iter().find(|it| it.key == *key);
    let value = |it: &KeyValue| match it.value.as_ref()?.value.as_ref()? {
        Value::Int(number) => Some(*number),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    keys.iter().filter_map(of).find_map(value)
}

/// A value as a label has it, without secrets: text as it is, everything else as JSON.
pub(super) fn label(it: &KeyValue, masks: &MaskKeys) -> String {
    plain(clean(it, masks))
}

fn plain(value: Json) -> String {
    match value {
        Json::String(text) => text,
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// The text of a log's body.
pub(super) fn body(value: Option<&AnyValue>, masks: &MaskKeys) -> String {
    masks.text(&plain(json_of(value, 0)))
}

fn json_of(value: Option<&AnyValue>, depth: u32) -> Json {
    let Some(value) = value.and_then(|it| it.value.as_ref()) else {
        return Json::Null;
    };
    match value {
        _ if depth > DEPTH_MAX => Json::Null,
        Value::Text(text) => Json::String(text.clone()),
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => json!(number),
        Value::Double(number) => match Number::from_f64(*number) {
            Some(number) => Json::Number(number),
            None => Json::String(number.to_string()),
        },
        Value::Array(array) => {
            let items = array.values.iter();
            Json::Array(items.map(|it| json_of(Some(it), depth + 1)).collect())
        }
        Value::Map(map) => {
            let member = |it: &KeyValue| (it.key.clone(), json_of(it.value.as_ref(), depth + 1));
            Json::Object(map.values.iter().map(member).collect())
        }
        Value::Bytes(bytes) => {
            use base64::Engine as _;
            Json::String(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
    }
}

/// A JSON object that grows up to a number of bytes.
#[derive(Debug)]
pub(super) struct Bag<'m> {
    members: Map<String, Json>,
    masks: &'m MaskKeys,
    room: usize,
    dropped: usize,
}

impl<'m> Bag<'m> {
    pub(super) fn new(bytes_max: usize, masks: &'m MaskKeys) -> Self {
        Self {
            members: Map::new(),
            masks,
            room: bytes_max.saturating_sub(DROPPED_BYTES + 2),
            dropped: 0,
        }
    }

    /// Adds attributes, the first of a name.
    pub(super) fn extend(&mut self, attributes: &[KeyValue]) {
        for it in attributes {
            if !self.members.contains_key(&it.key) {
                self.add(&it.key, clean(it, self.masks));
            }
        }
    }

    /// Adds a member, unless it is nothing or does not fit.
    pub(super) fn add(&mut self, key: &str, value: Json) {
        let empty = value.is_null() || value == "";
        if key.is_empty() || empty {
            return;
        }
        // Quotes, colon and comma.
        let bytes = Json::from(key).to_string().len() + value.to_string().len() + 2;
        if bytes > self.room {
            self.dropped += 1;
            return;
        }
        self.room -= bytes;
        self.members.insert(key.to_owned(), value);
    }

    /// The object as text.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.dropped > 0 {
            let dropped = self.dropped.min(99_999);
            self.members.insert("_dropped".to_owned(), json!(dropped));
        }
        Json::Object(self.members).to_string().into_bytes()
    }
}

/// A value without its secrets.
fn clean(it: &KeyValue, masks: &MaskKeys) -> Json {
    if masks.matches(&it.key) {
        return json!(MASK);
    }
    match json_of(it.value.as_ref(), 0) {
        Json::String(text) if it.key == QUERY => {
            let masked = masks.url(&["?", &text].concat());
            json!(masked.trim_start_matches('?'))
        }
        Json::String(text) if URLS.contains(&&*it.key) => json!(masks.url(&text)),
        Json::String(text) => json!(masks.text(cut(&text))),
        nested @ (Json::Object(_) | Json::Array(_)) => {
            let text = masks.text(&nested.to_string());
            serde_json::from_str(&text).unwrap_or(Json::Null)
        }
        plain => plain,
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
        }
    }

    fn words(key: &str, value: &str) -> KeyValue {
        attribute(key, Value::Text(value.to_owned()))
    }

    #[test]
    fn secrets_are_masked_by_name_in_depth_and_in_addresses() {
        let masks = MaskKeys::new(&["token".to_owned(), "cookie".to_owned()]);
        let inner = KeyValueList {
            values: vec![words("accessToken", "s3cret"), words("user", "ada")],
        };
        let mut bag = Bag::new(2_048, &masks);
        bag.extend(&[
            words("http.request.header.cookie", "s3cret"),
            words("url.full", "http://a:s3cret@shop/x?token=s3cret&n=1"),
            words("url.query", "n=1&token=s3cret"),
            words("body", r#"{"token":"s3cret"}"#),
            attribute("nested", Value::Map(inner)),
            attribute("count", Value::Int(7)),
        ]);
        let text = String::from_utf8(bag.finish()).expect("text");
        assert!(!text.contains("s3cret"), "{text}");
        let read: Json = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["url.full"], "http://***@shop/x?token=***&n=1");
        assert_eq!(read["nested"], json!({"accessToken": "***", "user": "ada"}));
        assert_eq!(read["count"], 7);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_object_stays_within_its_bytes() {
        let masks = MaskKeys::default();
        for bytes_max in [64, 200, 2_048] {
            let mut bag = Bag::new(bytes_max, &masks);
            let many: Vec<_> = (0..300)
                .map(|nth| words(&format!("k{nth}"), "\"é\n"))
                .collect();
            bag.extend(&many);
            let text = bag.finish();
            assert!(text.len() <= bytes_max, "{} of {bytes_max}", text.len());
            let read: Json = serde_json::from_slice(&text).expect("JSON");
            let kept = read.as_object().expect("an object").len() as u64 - 1;
            assert_eq!(read["_dropped"].as_u64(), Some(300 - kept));
        }
    }

    #[test]
    fn endless_nesting_ends() {
        let mut deep = AnyValue { value: None };
        for _ in 0..1_000 {
            let values = vec![deep];
            let value = Some(Value::Array(ArrayValue { values }));
            deep = AnyValue { value };
        }
        let it = KeyValue {
            key: "deep".to_owned(),
            value: Some(deep),
        };
        assert!(label(&it, &MaskKeys::default()).len() < 100);
    }

    use super::super::message::{ArrayValue, KeyValueList};
}
