//! `Debug` through the macro that generated code calls, on a message written as the generator does.

use contract::message::{
    Described, FieldTable, Form, Kind, Label, MessageTable, Scalar, decode_checked, well_known,
};
use prost_reflect::prost::{self, Message};

/// What the generator would have written for a message with a list of itself.
#[derive(Clone, PartialEq)]
struct Note {
    text: String,
    raw: Vec<u8>,
    inside: Vec<Note>,
    at: Option<prost_types::Timestamp>,
    numbers: Vec<i32>,
}

impl Default for Note {
    fn default() -> Self {
        let (text, raw, inside, numbers) = Default::default();
        Self {
            text,
            raw,
            inside,
            at: None,
            numbers,
        }
    }
}

const fn field(number: u32, name: &'static str, label: Label, kind: Kind) -> FieldTable {
    FieldTable {
        number,
        name,
        json: name,
        doc: "",
        label,
        kind,
        oneof: None,
    }
}

static NOTE: MessageTable = MessageTable {
    name: "notes.v1.Note",
    doc: "",
    form: Form::Fields,
    requires: true,
    fields: &[
        field(1, "text", Label::Required, Kind::Scalar(Scalar::String)),
        field(2, "raw", Label::Implicit, Kind::Scalar(Scalar::Bytes)),
        field(
            3,
            "inside",
            Label::Repeated { packed: false },
            Kind::Message(&NOTE),
        ),
        field(
            4,
            "at",
            Label::Explicit,
            Kind::Message(&well_known::TIMESTAMP),
        ),
        field(
            5,
            "numbers",
            Label::Repeated { packed: true },
            Kind::Scalar(Scalar::Int32),
        ),
    ],
};

contract::message_impls!(Note, NOTE);

impl Message for Note {
    fn encode_raw(&self, buf: &mut impl bytes::BufMut) {
        prost::encoding::string::encode(1, &self.text, buf);
        if !self.raw.is_empty() {
            prost::encoding::bytes::encode(2, &self.raw, buf);
        }
        prost::encoding::message::encode_repeated(3, &self.inside, buf);
        if let Some(at) = &self.at {
            prost::encoding::message::encode(4, at, buf);
        }
        prost::encoding::int32::encode_packed(5, &self.numbers, buf);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: prost::encoding::WireType,
        buf: &mut impl bytes::Buf,
        cx: prost::encoding::DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        match tag {
            1 => prost::encoding::string::merge(wire_type, &mut self.text, buf, cx),
            2 => prost::encoding::bytes::merge(wire_type, &mut self.raw, buf, cx),
            3 => prost::encoding::message::merge_repeated(wire_type, &mut self.inside, buf, cx),
            4 => {
                prost::encoding::message::merge(wire_type, self.at.get_or_insert_default(), buf, cx)
            }
            5 => prost::encoding::int32::merge_repeated(wire_type, &mut self.numbers, buf, cx),
            _ => prost::encoding::skip_field(wire_type, tag, buf, cx),
        }
    }

    fn encoded_len(&self) -> usize {
        let at = self.at.as_ref();
        prost::encoding::string::encoded_len(1, &self.text)
            + if self.raw.is_empty() {
                0
            } else {
                prost::encoding::bytes::encoded_len(2, &self.raw)
            }
            + prost::encoding::message::encoded_len_repeated(3, &self.inside)
            + at.map_or(0, |it| prost::encoding::message::encoded_len(4, it))
            + prost::encoding::int32::encoded_len_packed(5, &self.numbers)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

fn note(text: &str) -> Note {
    Note {
        text: text.to_owned(),
        ..Note::default()
    }
}

#[test]
fn what_is_set_is_shown_by_name() {
    let mut shown = note("a \"b\"");
    shown.raw = vec![0, 0xff, b'x'];
    shown.at = Some(prost_types::Timestamp {
        seconds: 7,
        nanos: 0,
    });
    shown.inside.push(note("c"));
    let expected = r#"Note { text: "a \"b\"", raw: b"\x00\xffx", inside: [Note { text: "c" }], at: Timestamp { seconds: 7 } }"#;
    assert_eq!(format!("{shown:?}"), expected);
    assert!(format!("{shown:#?}").contains("\n    inside: [\n        Note {"));
}

#[test]
fn long_text_bytes_and_lists_are_cut_and_counted() {
    let mut shown = note(&"ä".repeat(1_000));
    shown.raw = vec![b'y'; 1_000];
    shown.numbers = (0..1_000).collect();
    let shown = format!("{shown:?}");
    assert!(
        shown.contains(&format!("{}\" and 1744 bytes more", "ä".repeat(128))),
        "{shown}"
    );
    assert!(shown.contains("yyy\" and 744 bytes more"), "{shown}");
    assert!(shown.contains("30, 31, and 968 more]"), "{shown}");
}

#[test]
fn deep_and_wide_messages_end() {
    let mut deep = note("0");
    for _ in 0..20 {
        deep = Note {
            inside: vec![deep],
            ..note("x")
        };
    }
    assert!(format!("{deep:?}").contains("inside: [Note { .. }]"));
    let mut wide = note("0");
    for _ in 0..4 {
        wide = Note {
            inside: vec![wide; 20],
            ..note("x")
        };
    }
    let shown = format!("{wide:?}");
    assert!(
        shown.len() < 64 * 1024 && shown.ends_with(", ..] }"),
        "{} bytes: {shown}",
        shown.len()
    );
}

#[test]
fn the_macro_gives_json_both_ways_and_decoding_asks_for_what_is_required() {
    let mut sent = note("a");
    sent.numbers = vec![1, -1];
    let json = serde_json::to_string(&sent).expect("JSON");
    assert_eq!(json, r#"{"text":"a","numbers":[1,-1]}"#);
    assert_eq!(serde_json::from_str::<Note>(&json).expect("the same"), sent);
    let value = serde_json::to_value(&sent).expect("JSON");
    assert_eq!(
        serde_json::from_value::<Note>(value).expect("the same"),
        sent
    );
    assert_eq!(
        decode_checked::<Note>(sent.encode_to_vec().as_slice()),
        Ok(sent)
    );
    let missing = decode_checked::<Note>(&[0x1a, 0][..]).expect_err("no text");
    assert!(
        missing
            .to_string()
            .contains("required field `text` of notes.v1.Note is missing")
    );
    assert_eq!(Note::TABLE.short_name(), "Note");
}
