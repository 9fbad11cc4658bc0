//! Whether a client takes a problem for an answer.

use http::header::{ACCEPT, HeaderMap};

/// Whether the `Accept` header, if there is one, leaves room for problem details. A client that
/// asks for text or pages only keeps getting what the framework says.
pub(super) fn takes_problems(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|range| !range.is_empty())
        .peekable();
    ranges.peek().is_none() || ranges.any(is_json_wanted)
}

fn is_json_wanted(range: &[u8]) -> bool {
    let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_refused = parts.any(is_zero_weight);
    let is_json = matches!(
        media.as_slice(),
        b"*/*" | b"application/*" | b"application/json" | b"application/problem+json"
    );
    is_json && !is_refused
}

/// `q=0`, `q=0.0` and so on.
fn is_zero_weight(parameter: &[u8]) -> bool {
    let [b'q' | b'Q', b'=', weight @ ..] = parameter else {
        return false;
    };
    !weight.is_empty() && weight.iter().all(|byte| matches!(byte, b'0' | b'.'))
}
