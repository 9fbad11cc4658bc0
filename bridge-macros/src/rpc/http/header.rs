//! Which headers can bring a key, and which say whom a key belongs to.
//!
//! Refuses names that no request can have, and headers that are known not to tell one request from
//! another: with them every second request would be answered as a wrong repeat of the first.
//!
//! Invariant: of each place in an attribute the first fault is said, the others often follow from it.

use syn::LitStr;

use crate::diag::{Code, Diag};
use crate::duration;

/// The same in different requests of one caller.
const OF_THE_CALLER: [&str; 4] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
];
/// About the message, its way or its sender: programs and proxies set them, as they like.
const OF_THE_MESSAGE: [&str; 33] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "expect",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-connection",
    "range",
    "referer",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
];
/// Which host was asked for: of all requests to it the same, and of its tenants another.
const OF_THE_HOST: [&str; 3] = ["forwarded", "host", "x-forwarded-host"];
/// Headers that keys may be within.
const WITHIN_MAX: usize = 8;

/// The header with the key: one that callers set anew for each request, and again in a repeat.
pub(super) fn brings_a_key(diag: &Diag, given: &LitStr) {
    let name = given.value();
    let lower = name.to_ascii_lowercase();
    if !is_name(&name) {
        let text = "this is no name of a header: letters, digits and `-`, \
                    such as `\"Idempotency-Key\"`";
        diag.error(Code::HttpHeader, given, text);
    } else if OF_THE_CALLER.contains(&&*lower) {
        let text = format!(
            "different requests of one caller have the same `{name}`, so all but the first would be \
             refused; name a header that brings a key, such as `\"Idempotency-Key\"`"
        );
        diag.error(Code::HttpHeader, given, text);
    } else if OF_THE_MESSAGE.contains(&&*lower) || OF_THE_HOST.contains(&&*lower) {
        let text = format!(
            "`{name}` does not say which request this is: different ones may have the same, and a \
             repeat another; name a header that brings a key, such as `\"Idempotency-Key\"`"
        );
        diag.error(Code::HttpHeader, given, text);
    }
}

/// The headers that say whom a key belongs to, in small letters.
pub(super) fn keys_are_within(diag: &Diag, given: &LitStr, key: Option<&LitStr>) -> Vec<String> {
    let written = given.value();
    let names: Vec<&str> = written.split(',').map(str::trim).collect();
    let key = key.map(LitStr::value).unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    for name in names {
        let lower = name.to_ascii_lowercase();
        let fault = if duration::is_one(name) {
            format!("`{name}` is a span of time; how long outcomes are kept is `idempotent_for`")
        } else if !is_name(name) {
            "these are no names of headers: write one, or several with commas, such as \
             `\"X-Tenant, X-User\"`"
                .to_owned()
        } else if OF_THE_MESSAGE.contains(&&*lower) {
            format!(
                "a repeat may bring another `{name}`, and would be done again; name a header that \
                 says whom keys belong to, such as `\"X-Tenant\"`"
            )
        } else if key.eq_ignore_ascii_case(name) {
            format!("`{name}` is the key; name headers that say whom it belongs to")
        } else if found.contains(&lower) {
            format!("`{name}` is named twice; keep one")
        } else if found.len() == WITHIN_MAX {
            format!("keys are within {WITHIN_MAX} headers at most; remove `{name}`")
        } else {
            found.push(lower);
            continue;
        };
        diag.error(Code::HttpHeader, given, fault);
        break;
    }
    found
}

fn is_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}
