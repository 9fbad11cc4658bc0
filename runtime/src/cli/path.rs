//! Paths of the operator API, with what a user typed inside. Pure.

use std::fmt::Write as _;

/// A text as one piece of a path or query.
pub(super) fn segment(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let byte = |b: u8| {
        if plain(b) {
            char::from(b).to_string()
        } else {
            format!("%{b:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

/// A path with its query.
#[derive(Clone, Debug)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// With one more parameter, if there is a value.
    pub(super) fn with(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            let sign = if self.0.contains('?') { '&' } else { '?' };
            // Writing to a string cannot fail.
            let _ = write!(self.0, "{sign}{name}={}", segment(&value.to_string()));
        }
        self
    }

    /// With several values of one parameter, if there are any.
    pub(super) fn with_all(self, name: &str, values: &[String]) -> Self {
        self.with(name, (!values.is_empty()).then(|| values.join(",")))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_types_stays_one_value() {
        let path = Path::new("/api/v1/traces")
            .with("text", Some("a&b=c d/ä"))
            .with("service", None::<&str>)
            .with_all("channel", &["http".to_owned(), "rpc".to_owned()]);
        assert_eq!(
            path.as_str(),
            "/api/v1/traces?text=a%26b%3Dc%20d%2F%C3%A4&channel=http%2Crpc"
        );
    }
}
