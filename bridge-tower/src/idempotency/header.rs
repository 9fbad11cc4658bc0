//! Where a request says its key, and what a key looks like.
//!
//! The header field is that of the IETF draft "The Idempotency-Key HTTP Header Field"
//! (draft-ietf-httpapi-idempotency-key-header): a quoted string. Bare values, which most clients
//! send, mean the same as the quoted ones.

use std::time::Duration;

use http::Uri;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};

use super::store::TEXT_BYTES_MAX;
use super::terms::Terms;

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
    scopes: Vec<HeaderName>,
    terms: Terms,
}

/// How a request names its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) key: String,
    /// Empty when keys are everybody's.
    pub(super) scope: String,
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
            scopes: Vec::new(),
            terms: Terms::optional(),
        }
    }

    /// Refuses requests without a key.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.terms = self.terms.required();
        self
    }

    /// Keys are unique within a value of this header, such as `X-Tenant`: the same key with another
    /// value is another key. Said of several headers it holds for all of them together. A request
    /// with a key and without one of these headers is refused. Repeats have to come with the same
    /// values, so not every header will do: not one that is new for every request, and a token that
    /// expires only for as long as it lasts. `Host` is the host that was asked for, in small letters:
    /// the header's, or, over HTTP/2 without one, that of the request's URI. `X-Forwarded-Host` and
    /// `Forwarded` say what a proxy says, and what anybody likes where no proxy sets them.
    #[must_use]
    pub fn scoped_by(mut self, name: HeaderName) -> Self {
        self.scopes.push(name);
        self
    }

    /// How long an outcome answers repeats, taken within 1 second to 30 days.
    #[must_use]
    pub fn keep(mut self, span: Duration) -> Self {
        self.terms = self.terms.keep(span);
        self
    }

    /// The header's name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Whether there has to be a key, and how long an outcome answers repeats.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether requests with these headers have to do with it.
    pub(crate) fn concerns(&self, headers: &HeaderMap) -> bool {
        self.terms.is_required() || headers.contains_key(&self.name)
    }

    pub(super) fn header(&self) -> &HeaderName {
        &self.name
    }

    /// How the work of a request with these headers is named, or what is wrong with that. `None`
    /// when there is no key and none has to be.
    pub(super) fn among(&self, headers: &HeaderMap, uri: &Uri) -> Result<Option<Named>, String> {
        let name = &self.name;
        let Some(key) = key(headers, name)? else {
            return if self.terms.is_required() {
                Err(format!(
                    "this operation takes a key: send a new `{name}` with every request, and the \
                     same one when repeating it"
                ))
            } else {
                Ok(None)
            };
        };
        let scope = self.scope(headers, uri)?;
        Ok(Some(Named { key, scope }))
    }

    /// The values of the headers that keys are unique within: each on a line, and a line break of
    /// the other kind between two headers. No value has either.
    fn scope(&self, headers: &HeaderMap, uri: &Uri) -> Result<String, String> {
        let scopes = self.scopes.iter().map(|it| {
            if *it == HOST {
                host(headers, uri)
            } else {
                values(headers, it)
            }
        });
        let scopes: Result<Vec<_>, _> = scopes.collect();
        Ok(scopes?.join("\r"))
    }
}

/// All values of a header that keys are unique within.
fn values(headers: &HeaderMap, name: &HeaderName) -> Result<String, String> {
    let texts = headers.get_all(name).iter().map(HeaderValue::to_str);
    let Ok(texts) = texts.collect::<Result<Vec<_>, _>>() else {
        return Err(format!("`{name}` takes visible ASCII characters"));
    };
    let all = texts.join("\n");
    if all.is_empty() {
        return Err(format!(
            "keys of this operation are unique within `{name}`; send it, too"
        ));
    }
    Ok(all)
}

/// The host that was asked for. Letters are the same in both cases.
fn host(headers: &HeaderMap, uri: &Uri) -> Result<String, String> {
    let asked = match uri.authority() {
        Some(authority) if !headers.contains_key(HOST) => {
            let text = authority.as_str();
            let (_, host) = text.rsplit_once('@').unwrap_or(("", text));
            host.to_owned()
        }
        _ => values(headers, &HOST)?,
    };
    Ok(asked.to_ascii_lowercase())
}

/// The one value of a header.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(format!("`{name}` is there more than once; send one value")),
    }
}

/// The key that a header says.
fn key(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, String> {
    let Some(value) = only(headers, name)? else {
        return Ok(None);
    };
    match value.to_str().map(unquoted) {
        Ok(text) if !text.is_empty() && text.len() <= TEXT_BYTES_MAX => Ok(Some(text.to_owned())),
        _ => Err(format!(
            "`{name}` takes 1 to {TEXT_BYTES_MAX} visible ASCII characters, such as a UUID"
        )),
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
        header
            .among(&headers, &Uri::default())
            .map(|named| named.map(|it| it.key))
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
    fn a_key_is_one_within_its_scope_which_has_to_be_said() {
        let by_tenant = KeyHeader::standard().scoped_by(HeaderName::from_static("x-tenant"));
        let uri = Uri::default();
        let mut headers = HeaderMap::new();
        assert_eq!(by_tenant.among(&headers, &uri), Ok(None));
        headers.insert(IDEMPOTENCY_KEY, http::HeaderValue::from_static("k"));
        let fault = by_tenant.among(&headers, &uri).expect_err("no scope");
        assert!(fault.contains("within `x-tenant`"), "{fault}");
        headers.insert("x-tenant", http::HeaderValue::from_static("one"));
        let named = Named {
            key: "k".to_owned(),
            scope: "one".to_owned(),
        };
        assert_eq!(by_tenant.among(&headers, &uri), Ok(Some(named)));
    }

    #[test]
    fn a_host_is_the_one_that_was_asked_for_however_it_was_said() {
        let by_host = KeyHeader::standard().scoped_by(HOST);
        let scope = |uri: &'static str, host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("k"));
            if !host.is_empty() {
                headers.insert(HOST, HeaderValue::from_static(host));
            }
            let named = by_host.among(&headers, &Uri::from_static(uri));
            named.map(|it| it.expect("a key").scope)
        };
        let expected = Ok("a.example:8080".to_owned());
        assert_eq!(scope("/orders", "A.example:8080"), expected);
        assert_eq!(scope("https://a.example:8080/orders", ""), expected);
        assert_eq!(scope("https://me@A.EXAMPLE:8080/orders", ""), expected);
        assert_eq!(
            scope("https://b.example/orders", "a.example:8080"),
            expected
        );
        let fault = scope("/orders", "").expect_err("no host");
        assert!(fault.contains("within `host`"), "{fault}");
    }

    #[test]
    fn values_of_several_headers_are_told_apart_whatever_their_length() {
        let by_both = KeyHeader::standard()
            .scoped_by(HeaderName::from_static("x-tenant"))
            .scoped_by(HeaderName::from_static("x-token"));
        let scope = |tenant: &str, token: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("k"));
            for (name, value) in [("x-tenant", tenant), ("x-token", token)] {
                headers.insert(name, HeaderValue::from_str(value).expect("a value"));
            }
            let named = by_both.among(&headers, &Uri::default());
            named.map(|it| it.expect("a key").scope)
        };
        let long = "t".repeat(2_000);
        let scopes = [("a", "bc"), ("ab", "c"), ("a", &*long)].map(|(a, b)| scope(a, b));
        assert!(scopes.iter().all(Result::is_ok), "{scopes:?}");
        assert!(scopes[0] != scopes[1] && scopes[1] != scopes[2]);
        let fault = scope("a", "").expect_err("no token");
        assert!(fault.contains("within `x-token`"), "{fault}");
        assert!(scope("a", "é").is_err());
    }
}
