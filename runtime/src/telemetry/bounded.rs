//! Text and JSON that services send, as it is stored: within a number of bytes, without NUL.
//!
//! Never fails a report: what is too long is cut, what is no JSON object is replaced by a marker.

use serde_json::{Map, Value};

/// What stands for JSON that was too large or not an object.
pub(super) const TRUNCATED: &str = r#"{"_truncated":true}"#;

/// The longest prefix of `said` within `bytes_max` that ends at a character, without NUL, which
/// PostgreSQL cannot hold.
pub(super) fn text(said: &str, bytes_max: usize) -> String {
    let end = said.floor_char_boundary(bytes_max);
    said[..end].replace('\0', "")
}

/// The JSON object in `bytes`, compact; `{}` for nothing, a marker when it is larger than
/// `bytes_max` or no object.
pub(super) fn json_object(bytes: &[u8], bytes_max: usize) -> String {
    if bytes.is_empty() || bytes == b"{}" {
        return "{}".to_owned();
    }
    if bytes.len() > bytes_max {
        return TRUNCATED.to_owned();
    }
    match serde_json::from_slice::<Map<String, Value>>(bytes) {
        Ok(object) => Value::Object(object).to_string(),
        Err(_) => TRUNCATED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters_and_loses_its_nuls() {
        assert_eq!(text("plain", 5), "plain");
        assert_eq!(text("plain", 4), "plai");
        assert_eq!(text("aé", 2), "a", "é takes bytes 1 and 2");
        assert_eq!(text("aé", 3), "aé");
        assert_eq!(text("a\0b", 3), "ab");
        assert_eq!(text("x", 0), "");
    }

    #[test]
    fn only_an_object_within_the_limit_is_kept() {
        assert_eq!(json_object(b"", 9), "{}");
        assert_eq!(json_object(b" { \"a\" : 1 } ", 13), r#"{"a":1}"#);
        assert_eq!(json_object(b" { \"a\" : 1 } ", 12), TRUNCATED);
        for bad in [&b"[1]"[..], b"1", b"{", b"\xff"] {
            assert_eq!(json_object(bad, 9), TRUNCATED);
        }
    }
}
