//! Whether a client takes a problem for an answer.

use http::header::{ACCEPT, HeaderMap, HeaderValue};

use crate::w3c::list;

/// Whether the `Accept` header, if there is one, leaves room for problem details. A client that
/// asks for text or pages only keeps getting what the framework says.
#[inline]
pub(crate) fn takes_problems(headers: &HeaderMap, first: Option<&HeaderValue>) -> bool {
    // What nearly every program sends.
    match first.map(HeaderValue::as_bytes) {
        None | Some(b"*/*" | b"application/json") => true,
        Some(_) => has_room_for_problems(headers),
    }
}

fn has_room_for_problems(headers: &HeaderMap) -> bool {
    let mut is_any_said = false;
    for value in headers.get_all(ACCEPT) {
        for range in list::members(value.as_bytes()) {
            if is_json_wanted(range) {
                return true;
            }
            is_any_said = true;
        }
    }
    !is_any_said
}

fn is_json_wanted(range: &[u8]) -> bool {
    let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let media = parts.next().unwrap_or_default();
    let is_refused = parts.any(is_zero_weight);
    let is_json = [
        "*/*",
        "application/*",
        "application/json",
        "application/problem+json",
    ]
    .iter()
    .any(|json| media.eq_ignore_ascii_case(json.as_bytes()));
    is_json && !is_refused
}

/// `q=0`, `q=0.0` and so on.
fn is_zero_weight(parameter: &[u8]) -> bool {
    let [b'q' | b'Q', b'=', weight @ ..] = parameter else {
        return false;
    };
    !weight.is_empty() && weight.iter().all(|byte| matches!(byte, b'0' | b'.'))
}
