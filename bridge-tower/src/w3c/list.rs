//! Comma-separated header values: what `tracestate`, `baggage` and `Accept` have in common.

use http::HeaderValue;

/// `text` without the spaces and tabs around it.
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// The members between the commas, without the spaces around them and without empty ones.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(trim)
        .filter(|member| !member.is_empty())
}

/// Text that was checked byte by byte before; never anything but ASCII.
pub(super) fn ascii(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}

/// Cuts `text` into what is before and after the first `separator`.
pub(super) fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}

/// Length of `members` joined by commas, in bytes.
pub(super) fn joined_len(members: &[&[u8]]) -> usize {
    members.iter().map(|it| it.len() + 1).sum::<usize>().max(1) - 1
}

/// `members` joined by commas; `None` without any.
pub(super) fn join(members: &[&[u8]]) -> Option<HeaderValue> {
    if members.is_empty() {
        return None;
    }
    HeaderValue::from_bytes(&members.join(&b',')).ok()
}
