//! Where a request says its key, and what a key looks like.
//!
//! The header field is that of the IETF draft "The Idempotency-Key HTTP Header Field"
//! (draft-ietf-httpapi-idempotency-key-header): a quoted string. Bare values, which most clients
//! send, mean the same as the quoted ones.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName};

use super::store::{KEEP, KEEP_BOUNDS, TEXT_BYTES_MAX};

/// The header field of the draft.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says how requests of an operation name their work.
///
/// ```
/// use std::time::Duration;
/// use bridge_tower::idempotency::KeyHeader;
///
/// let key = KeyHeader::standard().required().keep(Duration::from_secs(3600));
/// assert_eq!(key.name(), "idempotency-key");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHeader {
    name: HeaderName,
    is_required: bool,
    keep: Duration,
}

impl KeyHeader {
    /// `Idempotency-Key`, optional, with outcomes kept for 24 hours.
    pub fn standard() -> Self {
        Self::named(IDEMPOTENCY_KEY)
    }

    /// Another header.
    pub fn named(name: HeaderName) -> Self {
        Self {
            name,
            is_required: false,
            keep: KEEP,
        }
    }

    /// Refuses requests without a key.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// How long an outcome answers repeats, taken within 1 second to 30 days.
    #[must_use]
    pub fn keep(mut self, span: Duration) -> Self {
        self.keep = span.clamp(KEEP_BOUNDS.0, KEEP_BOUNDS.1);
        self
    }

    /// The header's name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Whether a request without a key is refused.
    pub fn is_required(&self) -> bool {
        self.is_required
    }

    /// How long an outcome answers repeats.
    pub fn kept_for(&self) -> Duration {
        self.keep
    }

    /// The key among `headers`, or what is wrong with it. `None` when there is none and none has
    /// to be.
    pub(super) fn among(&self, headers: &HeaderMap) -> Result<Option<String>, String> {
        let name = &self.name;
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else {
            return if self.is_required {
                Err(format!(
                    "this operation takes a key: send a new `{name}` with every request, and the \
                     same one when repeating it"
                ))
            } else {
                Ok(None)
            };
        };
        if values.next().is_some() {
            return Err(format!("`{name}` is there more than once; send one key"));
        }
        let text = value.to_str().map(unquoted);
        match text {
            Ok(key) if !key.is_empty() && key.len() <= TEXT_BYTES_MAX => Ok(Some(key.to_owned())),
            _ => Err(format!(
                "`{name}` takes 1 to {TEXT_BYTES_MAX} visible ASCII characters, such as a UUID"
            )),
        }
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    inner.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: KeyHeader, values: &[&[u8]]) -> Result<Option<String>, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = http::HeaderValue::from_bytes(value).expect("a value");
            headers.append(IDEMPOTENCY_KEY, value);
        }
        header.among(&headers)
    }

    #[test]
    fn a_key_is_the_same_with_and_without_quotes() {
        let expected = Ok(Some("8e03978e".to_owned()));
        assert_eq!(read(KeyHeader::standard(), &[b"\"8e03978e\""]), expected);
        assert_eq!(read(KeyHeader::standard(), &[b" 8e03978e "]), expected);
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_would_be_one() {
        let long = [b'x'; TEXT_BYTES_MAX + 1];
        assert!(read(KeyHeader::standard(), &[&long[1..]]).is_ok());
        for wrong in [&b""[..], b"\"\"", &long, b"\xe9"] {
            let fault = read(KeyHeader::standard(), &[wrong]).expect_err("no key");
            assert!(fault.contains("such as a UUID"), "{fault}");
        }
        assert!(read(KeyHeader::standard(), &[b"a", b"b"]).is_err());
    }

    #[test]
    fn a_key_may_be_missing_unless_it_is_required() {
        assert_eq!(read(KeyHeader::standard(), &[]), Ok(None));
        let fault = read(KeyHeader::standard().required(), &[]).expect_err("required");
        assert!(fault.contains("`idempotency-key`"), "{fault}");
    }

    #[test]
    fn an_outcome_is_kept_within_bounds() {
        let keep = |span| KeyHeader::standard().keep(span).kept_for();
        assert_eq!(keep(Duration::ZERO), KEEP_BOUNDS.0);
        assert_eq!(keep(Duration::MAX), KEEP_BOUNDS.1);
    }
}
