//! What is kept of one body.

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::redact::Secrets;

/// How a body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    /// JSON, or text in which JSON may stand, or anything else.
    Any,
    /// A URL-encoded form.
    Form,
    /// Nothing that could be searched for secrets.
    Opaque,
}

impl Media {
    fn of(headers: &HeaderMap) -> Self {
        let is_plain = headers
            .get(CONTENT_ENCODING)
            .is_none_or(|it| it.as_bytes().eq_ignore_ascii_case(b"identity"));
        let media = headers.get(CONTENT_TYPE).map(|it| it.as_bytes());
        let media = media.unwrap_or_default().to_ascii_lowercase();
        if !is_plain || media.starts_with(b"multipart/") {
            Self::Opaque
        } else if media.starts_with(b"application/x-www-form-urlencoded") {
            Self::Form
        } else {
            Self::Any
        }
    }
}

/// The first bytes of a body, and how many there were.
#[derive(Debug)]
pub(super) struct Tap {
    media: Media,
    kept: Vec<u8>,
    bytes_max: usize,
    original_bytes: u64,
}

impl Tap {
    /// Keeps at most `bytes_max` of a body with these headers.
    pub(super) fn new(headers: &HeaderMap, bytes_max: usize) -> Self {
        Self {
            media: Media::of(headers),
            kept: Vec::new(),
            bytes_max,
            original_bytes: 0,
        }
    }

    /// Lets `data` pass.
    pub(super) fn pass(&mut self, data: &[u8]) {
        self.original_bytes += data.len() as u64;
        if self.media != Media::Opaque {
            let room = self.bytes_max - self.kept.len();
            self.kept.extend_from_slice(&data[..room.min(data.len())]);
        }
    }

    /// Keeps nothing any more.
    pub(super) fn close(&mut self) {
        self.media = Media::Opaque;
        self.kept = Vec::new();
    }

    /// What was kept, without secrets, and the bytes there were; `None` when that says nothing.
    pub(super) fn take(&mut self, secrets: &Secrets) -> Option<(Bytes, u64)> {
        let kept = std::mem::take(&mut self.kept);
        if says_nothing(&kept) {
            return None;
        }
        let mut kept = match self.media {
            Media::Form => secrets.out_of_form(&kept),
            Media::Any | Media::Opaque => secrets.out_of_json(&kept),
        };
        kept.truncate(self.bytes_max);
        Some((kept.into(), self.original_bytes))
    }
}

/// No bytes, only spaces, `{}` or `null`.
fn says_nothing(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let is_empty_object = || {
        let inner = text.strip_prefix(b"{").and_then(|it| it.strip_suffix(b"}"));
        inner.is_some_and(|inner| inner.trim_ascii().is_empty())
    };
    text.is_empty() || text == b"null" || is_empty_object()
}
