//! How much a request may hold: counted in its bytes, before anything is made of them.
//!
//! Two bytes of an empty span are some 300 in memory, so that a body within its limit of bytes could
//! take a hundred times as much. One table says which fields nest what; the same walk goes through
//! both encodings and keeps nothing.
//!
//! Refuses more than [`ITEMS_MAX`] items or [`PARTS_MAX`] parts, and JSON that has a list where a
//! message belongs. Whatever else is wrong is left for the decoder to say.

use axum::http::StatusCode;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess};

use super::body::{Fault, Form};

/// Spans, their events, log records, points, quantiles and resources of one request.
pub(super) const ITEMS_MAX: usize = 32_768;
/// Everything else of it that nests: attributes and their values, links, scopes, metrics.
pub(super) const PARTS_MAX: usize = 262_144;
/// How deep a message may nest: as deep as the decoders go.
const DEPTH_MAX: u32 = 100;

/// A message as far as it nests others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Traces,
    ResourceSpans,
    ScopeSpans,
    Span,
    Event,
    Logs,
    ResourceLogs,
    ScopeLogs,
    Record,
    Metrics,
    ResourceMetrics,
    ScopeMetrics,
    Metric,
    Numbers,
    Histograms,
    Exponentials,
    Summaries,
    NumberPoint,
    HistogramPoint,
    ExponentialPoint,
    SummaryPoint,
    Quantile,
    Resource,
    Attribute,
    Value,
    Values,
    Attributes,
    /// Nests nothing that is read.
    Leaf,
}

/// A field: its number, its name in JSON, what it is, and whether there may be many.
type Field = (u32, &'static str, Node, bool);

impl Node {
    const fn fields(self) -> &'static [Field] {
        match self {
            Self::Traces => &[(1, "resourceSpans", Self::ResourceSpans, true)],
            Self::ResourceSpans => &[
                (1, "resource", Self::Resource, false),
                (2, "scopeSpans", Self::ScopeSpans, true),
            ],
            Self::ScopeSpans => &[
                (1, "scope", Self::Leaf, false),
                (2, "spans", Self::Span, true),
            ],
            Self::Span => &[
                (9, "attributes", Self::Attribute, true),
                (11, "events", Self::Event, true),
                (13, "links", Self::Leaf, true),
                (15, "status", Self::Leaf, false),
            ],
            Self::Event => &[(3, "attributes", Self::Attribute, true)],
            Self::Logs => &[(1, "resourceLogs", Self::ResourceLogs, true)],
            Self::ResourceLogs => &[
                (1, "resource", Self::Resource, false),
                (2, "scopeLogs", Self::ScopeLogs, true),
            ],
            Self::ScopeLogs => &[
                (1, "scope", Self::Leaf, false),
                (2, "logRecords", Self::Record, true),
            ],
            Self::Record => &[
                (5, "body", Self::Value, false),
                (6, "attributes", Self::Attribute, true),
            ],
            Self::Metrics => &[(1, "resourceMetrics", Self::ResourceMetrics, true)],
            Self::ResourceMetrics => &[
                (1, "resource", Self::Resource, false),
                (2, "scopeMetrics", Self::ScopeMetrics, true),
            ],
            Self::ScopeMetrics => &[
                (1, "scope", Self::Leaf, false),
                (2, "metrics", Self::Metric, true),
            ],
            Self::Metric => &[
                (5, "gauge", Self::Numbers, false),
                (7, "sum", Self::Numbers, false),
                (9, "histogram", Self::Histograms, false),
                (10, "exponentialHistogram", Self::Exponentials, false),
                (11, "summary", Self::Summaries, false),
            ],
            Self::Numbers => &[(1, "dataPoints", Self::NumberPoint, true)],
            Self::Histograms => &[(1, "dataPoints", Self::HistogramPoint, true)],
            Self::Exponentials => &[(1, "dataPoints", Self::ExponentialPoint, true)],
            Self::Summaries => &[(1, "dataPoints", Self::SummaryPoint, true)],
            Self::NumberPoint => &[(7, "attributes", Self::Attribute, true)],
            Self::HistogramPoint => &[(9, "attributes", Self::Attribute, true)],
            Self::ExponentialPoint => &[
                (1, "attributes", Self::Attribute, true),
                (8, "positive", Self::Leaf, false),
                (9, "negative", Self::Leaf, false),
            ],
            Self::SummaryPoint => &[
                (6, "quantileValues", Self::Quantile, true),
                (7, "attributes", Self::Attribute, true),
            ],
            Self::Resource => &[(1, "attributes", Self::Attribute, true)],
            Self::Attribute => &[(2, "value", Self::Value, false)],
            Self::Value => &[
                (5, "arrayValue", Self::Values, false),
                (6, "kvlistValue", Self::Attributes, false),
            ],
            Self::Values => &[(1, "values", Self::Value, true)],
            Self::Attributes => &[(1, "values", Self::Attribute, true)],
            Self::Quantile | Self::Leaf => &[],
        }
    }

    const fn is_item(self) -> bool {
        matches!(
            self,
            Self::ResourceSpans
                | Self::ResourceLogs
                | Self::ResourceMetrics
                | Self::Span
                | Self::Event
                | Self::Record
                | Self::NumberPoint
                | Self::HistogramPoint
                | Self::ExponentialPoint
                | Self::SummaryPoint
                | Self::Quantile
        )
    }
}

/// Counts down; false once there is too much.
#[derive(Debug)]
struct Room {
    items: usize,
    parts: usize,
    is_over: bool,
}

impl Room {
    fn take(&mut self, node: Node) -> bool {
        let left = if node.is_item() {
            &mut self.items
        } else {
            &mut self.parts
        };
        match left.checked_sub(1) {
            Some(less) => *left = less,
            None => self.is_over = true,
        }
        !self.is_over
    }
}

/// Refuses a request that holds too much.
pub(super) fn check(form: Form, root: Node, bytes: &[u8]) -> Result<(), Fault> {
    let mut room = Room {
        items: ITEMS_MAX,
        parts: PARTS_MAX,
        is_over: false,
    };
    match form {
        Form::Protobuf => {
            // What cannot be read here cannot be decoded either, up to where this stopped.
            let _ = walk(root, bytes, DEPTH_MAX, &mut room);
        }
        Form::Json => {
            let mut reader = serde_json::Deserializer::from_slice(bytes);
            let walker = One {
                node: root,
                room: &mut room,
            };
            if let Err(error) = walker.deserialize(&mut reader)
                && !room.is_over
            {
                let text = format!("the body cannot be read: {error}");
                return Err(Fault::new(StatusCode::BAD_REQUEST, text));
            }
        }
    }
    if room.is_over {
        let text = format!(
            "a request may hold {ITEMS_MAX} spans, events, log records, points and resources, and \
             {PARTS_MAX} attributes and other parts; export smaller batches"
        );
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    Ok(())
}

/// `None` when there is too much, or nothing more can be read.
fn walk(node: Node, mut bytes: &[u8], depth: u32, room: &mut Room) -> Option<()> {
    let below = depth.checked_sub(1)?;
    while !bytes.is_empty() {
        let (tag, wire) = decode_key(&mut bytes).ok()?;
        let field = node.fields().iter().find(|it| it.0 == tag);
        let Some(&(_, _, child, _)) = field.filter(|_| wire == WireType::LengthDelimited) else {
            skip_field(wire, tag, &mut bytes, DecodeContext::default()).ok()?;
            continue;
        };
        let long = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
        let (inner, rest) = bytes.split_at_checked(long)?;
        bytes = rest;
        if !room.take(child) {
            return None;
        }
        walk(child, inner, below, room)?;
    }
    Some(())
}

/// A message in JSON.
struct One<'r> {
    node: Node,
    room: &'r mut Room,
}

/// A list of messages in JSON.
struct Many<'r>(One<'r>);

/// What is neither a message nor a list: nothing nests in it. The decoder says what is wrong.
macro_rules! plain_values {
    () => {
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    };
}

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> serde::de::Visitor<'de> for One<'_> {
    type Value = ();

    plain_values!();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let field = self.node.fields().iter().find(|it| it.1 == key);
            let Some(&(_, _, node, is_list)) = field else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let room = &mut *self.room;
            if is_list {
                map.next_value_seed(Many(One { node, room }))?;
            } else if room.take(node) {
                map.next_value_seed(One { node, room })?;
            } else {
                return Err(A::Error::custom("too much"));
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Many<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> serde::de::Visitor<'de> for Many<'_> {
    type Value = ();

    plain_values!();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let One { node, room } = self.0;
        loop {
            let room = &mut *room;
            let next = list.next_element_seed(Listed(One { node, room }))?;
            if next.is_none() {
                return Ok(());
            }
        }
    }
}

/// A message in a list, which counts.
struct Listed<'r>(One<'r>);

impl<'de> DeserializeSeed<'de> for Listed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if !self.0.room.take(self.0.node) {
            return Err(D::Error::custom("too much"));
        }
        self.0.deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{AnyValue, ArrayValue, KeyValue, Span, Value};
    use super::*;

    /// A protobuf field of `tag` that holds `bytes`.
    fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
        let mut all = vec![tag << 3 | 2];
        prost::encoding::encode_varint(bytes.len() as u64, &mut all);
        all.extend(bytes);
        all
    }

    fn status(form: Form, root: Node, bytes: &[u8]) -> Option<u16> {
        check(form, root, bytes).err().map(|it| it.status.as_u16())
    }

    #[test]
    fn as_many_empty_items_as_fit_are_let_in_and_one_more_is_not() {
        // The resource is an item, too.
        for (count, expected) in [(ITEMS_MAX - 1, None), (ITEMS_MAX, Some(413))] {
            let spans = [0x12, 0].repeat(count);
            let bytes = field(1, &field(2, &spans));
            for root in [Node::Traces, Node::Logs] {
                assert_eq!(status(Form::Protobuf, root, &bytes), expected, "{count}");
            }
            let points = [0x0a, 0].repeat(count);
            let bytes = field(1, &field(2, &field(2, &field(7, &points))));
            assert_eq!(status(Form::Protobuf, Node::Metrics, &bytes), expected);
            for (root, of) in [
                (Node::Traces, ["Spans", "spans"]),
                (Node::Logs, ["Logs", "logRecords"]),
            ] {
                let items = vec!["{}"; count].join(",");
                let json = format!(
                    r#"{{"resource{0}":[{{"scope{0}":[{{"{1}":[{items}]}}]}}]}}"#,
                    of[0], of[1]
                );
                assert_eq!(
                    status(Form::Json, root, json.as_bytes()),
                    expected,
                    "{count}"
                );
            }
        }
    }

    #[test]
    fn parts_are_counted_however_they_nest() {
        let values = vec![AnyValue { value: None }; PARTS_MAX];
        let value = Some(Value::Array(ArrayValue { values }));
        let attribute = KeyValue {
            key: "k".to_owned(),
            value: Some(AnyValue { value }),
        };
        let span = Span {
            attributes: vec![attribute],
            ..Span::default()
        };
        let bytes = prost::Message::encode_to_vec(&span);
        assert_eq!(status(Form::Protobuf, Node::Span, &bytes), Some(413));
        let many = vec!["{}"; PARTS_MAX].join(",");
        let json =
            format!(r#"{{"attributes":[{{"value":{{"arrayValue":{{"values":[{many}]}}}}}}]}}"#);
        assert_eq!(status(Form::Json, Node::Span, json.as_bytes()), Some(413));
        let links = [0x6a, 0].repeat(PARTS_MAX + 1);
        assert_eq!(status(Form::Protobuf, Node::Span, &links), Some(413));
    }

    #[test]
    fn a_list_is_no_message() {
        let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[[],[]]}]}]}"#;
        assert_eq!(status(Form::Json, Node::Traces, json), Some(400));
    }

    #[test]
    fn endless_nesting_ends() {
        let mut bytes = Vec::new();
        for _ in 0..10_000 {
            bytes = field(1, &field(5, &bytes));
        }
        assert_eq!(status(Form::Protobuf, Node::Values, &bytes), None);
        let json = "[".repeat(100_000);
        let json = format!(r#"{{"resourceSpans":{json}"#);
        assert_eq!(status(Form::Json, Node::Traces, json.as_bytes()), Some(400));
    }
}
