//! Values that operations and log entries carry, and the JSON object they are written into.
//!
//! Invariant: the object is valid JSON of at most its limit; one that would be larger is
//! `{"_truncated":true}` instead, as the contract has it.

/// A value beside a name: text, a number or a truth.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Any other number; `null` on the wire when it is not finite.
    Float(f64),
    /// A truth.
    Bool(bool),
}

macro_rules! from {
    ($($type:ty => $variant:ident as $as:ty),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(<$as>::from(value))
            }
        }
    )*};
}

from! {
    &str => Text as String,
    String => Text as String,
    i64 => Int as i64,
    i32 => Int as i64,
    u32 => Int as i64,
    u16 => Int as i64,
    f64 => Float as f64,
    bool => Bool as bool,
}

/// What stands for an object that is too large.
const TRUNCATED: &[u8] = br#"{"_truncated":true}"#;

/// A JSON object under construction.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// Without the closing brace; empty as long as nothing was added.
    json: Vec<u8>,
    bytes_max: usize,
    is_over: bool,
}

impl Object {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            json: Vec::new(),
            bytes_max,
            is_over: false,
        }
    }

    pub(super) fn add(&mut self, name: &str, value: &Value) {
        match value {
            Value::Text(text) => self.add_json(name, text.as_str()),
            Value::Int(number) => self.add_json(name, number),
            Value::Float(number) => self.add_json(name, number),
            Value::Bool(truth) => self.add_json(name, truth),
        }
    }

    /// Adds anything that can be written as JSON.
    pub(super) fn add_json(&mut self, name: &str, value: impl serde::Serialize) {
        if self.is_over {
            return;
        }
        let separator = if self.json.is_empty() { b'{' } else { b',' };
        self.json.push(separator);
        let mut limited = Limited {
            json: &mut self.json,
            bytes_max: self.bytes_max,
        };
        let written = serde_json::to_writer(&mut limited, name)
            .map(|()| limited.json.push(b':'))
            .and_then(|()| serde_json::to_writer(&mut limited, &value));
        // One more byte closes the object.
        if written.is_err() || self.json.len() >= self.bytes_max {
            self.is_over = true;
            self.json = Vec::new();
        }
    }

    /// The object as JSON.
    pub(super) fn finish(&self) -> Vec<u8> {
        if self.is_over {
            return TRUNCATED.to_vec();
        }
        if self.json.is_empty() {
            return b"{}".to_vec();
        }
        let mut json = Vec::with_capacity(self.json.len() + 1);
        json.extend_from_slice(&self.json);
        json.push(b'}');
        json
    }
}

/// Refuses to write more than the limit, so that a huge value costs no memory either.
struct Limited<'j> {
    json: &'j mut Vec<u8>,
    bytes_max: usize,
}

impl std::io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.json.len() + bytes.len() > self.bytes_max {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.json.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// `text`, cut to `bytes_max` at a character.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_json_whatever_is_put_into_it() {
        let mut object = Object::new(1_000);
        assert_eq!(object.finish(), b"{}");
        object.add("text \"\n", &Value::from("\u{1}\\é"));
        object.add("int", &Value::from(-7_i64));
        object.add("float", &Value::from(0.5));
        object.add("none", &Value::from(f64::NAN));
        object.add("bool", &Value::from(true));
        let read: serde_json::Value = serde_json::from_slice(&object.finish()).unwrap();
        let expected = serde_json::json!({
            "text \"\n": "\u{1}\\é", "int": -7, "float": 0.5, "none": null, "bool": true,
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn an_object_beyond_its_limit_says_so_and_one_at_it_is_kept() {
        // {"k":"…"} has eight bytes around the text.
        for (len, kept) in [(92, true), (93, false)] {
            let mut object = Object::new(100);
            object.add("k", &Value::from("x".repeat(len)));
            let json = object.finish();
            assert_eq!(json == TRUNCATED, !kept, "{len}");
            assert!(json.len() <= 100);
        }
        let mut object = Object::new(100);
        object.add("k", &Value::from("x".repeat(1_000)));
        object.add("l", &Value::from("y"));
        assert_eq!(object.finish(), TRUNCATED);
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
    }
}
