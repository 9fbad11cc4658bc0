//! One finished HTTP request, served or sent, as a record of fixed size.
//!
//! A record is what the request's own path leaves behind: ids, times, numbers and at most two
//! short texts. Names and attributes are rendered by whoever exports it, never on the request.
//!
//! Invariant: making one allocates only when the path is longer than [`Text`] holds inline, when
//! the client named the request with an idempotency key, or when it sent state to carry along.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::Timestamp;
use contract::headers::TraceContext;
use contract::ids::OpId;
use http::Method;

use crate::w3c::Carried;

/// Bytes of a path that need no allocation.
const INLINE_BYTES: usize = 46;

/// Bytes of a path or key that are kept; the rest is cut at a character.
pub const TEXT_BYTES_MAX: usize = 1_024;

/// A short text. Up to 46 bytes are kept in place, at most [`TEXT_BYTES_MAX`] at all.
#[derive(Clone)]
pub struct Text(Kept);

#[derive(Clone)]
enum Kept {
    Inline { len: u8, bytes: [u8; INLINE_BYTES] },
    Apart(Box<str>),
}

impl Text {
    /// Keeps `text`, cut to [`TEXT_BYTES_MAX`].
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; INLINE_BYTES];
        if let (Some(room), Ok(len)) = (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            room.copy_from_slice(text.as_bytes());
            return Self(Kept::Inline { len, bytes });
        }
        let mut end = text.len().min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(Kept::Apart(text[..end].into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Kept::Inline { len, bytes } => {
                // It was cut from a `str` whole, so it reads back as one.
                std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default()
            }
            Kept::Apart(text) => text,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A request's method in one byte. Methods that HTTP does not define share [`Verb::Other`], so
/// that a client cannot make names up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `PATCH`
    Patch,
    /// `OPTIONS`
    Options,
    /// `CONNECT`
    Connect,
    /// `TRACE`
    Trace,
    /// Any other; exporters write `_OTHER`.
    Other,
}

impl Verb {
    /// The method's name; `_OTHER`, as the semantic conventions have it, for unknown ones.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Options => "OPTIONS",
            Self::Connect => "CONNECT",
            Self::Trace => "TRACE",
            Self::Other => "_OTHER",
        }
    }
}

impl From<&Method> for Verb {
    fn from(method: &Method) -> Self {
        match *method {
            Method::GET => Self::Get,
            Method::HEAD => Self::Head,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::DELETE => Self::Delete,
            Method::PATCH => Self::Patch,
            Method::OPTIONS => Self::Options,
            Method::CONNECT => Self::Connect,
            Method::TRACE => Self::Trace,
            _ => Self::Other,
        }
    }
}

/// Which end of a request this process was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It answered the request.
    Server,
    /// It sent the request.
    Client,
}

/// What requests are counted under in a [`Recorder`](crate::Recorder), by number: the route of a
/// served request, the peer of a sent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route(pub(crate) u32);

impl Route {
    /// No route matched, or the recorder has no room for another one.
    pub const UNMATCHED: Self = Self(u32::MAX);

    /// A peer that the recorder has no room for.
    pub const OTHER_PEER: Self = Self(u32::MAX - 1);

    /// Numbers from here on, but for [`Route::UNMATCHED`], are peers.
    pub(crate) const PEERS: u32 = 1 << 31;

    /// What is counted under it: requests served or requests sent.
    pub fn kind(self) -> Kind {
        if self.0 >= Self::PEERS && self != Self::UNMATCHED {
            Kind::Client
        } else {
            Kind::Server
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// It still runs: the record announces it.
    Running,
    /// It was answered completely; [`Record::status`] says how.
    Answered,
    /// The client went away before the answer was complete.
    Aborted,
    /// The service failed, or the response body broke.
    Failed,
    /// The handler or its body panicked.
    Panicked,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Record {
    /// Whether it was served or sent. Exporters tell the two apart before anything else.
    pub kind: Kind,
    /// Its trace, and its own id in [`TraceContext::parent`]: what nested work hangs under.
    pub context: TraceContext,
    /// What it hangs under itself; `None` for a root.
    pub parent: Option<OpId>,
    /// When it arrived, or was sent.
    pub started: Timestamp,
    /// From then to the last byte of the answer; zero while it runs.
    pub duration: Duration,
    /// Bytes of the response body that were handed over, or received.
    pub response_bytes: u64,
    /// The route it matched; of a sent request, the template its sender named.
    pub route: Route,
    /// Status of the answer; 0 when there was none.
    pub status: u16,
    /// Method.
    pub verb: Verb,
    /// How it ended.
    pub ending: Ending,
    /// Whether an earlier record announced it as running.
    pub announced: bool,
    /// HTTP version of the request: 9, 10, 11, 20 or 30.
    pub version: u8,
    /// The path as sent, without the query; of a sent request the whole url up to there, without
    /// credentials.
    pub path: Text,
    /// Whom a sent request went to, as `host:port`; `None` for a served one.
    pub peer: Option<Arc<str>>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<Box<str>>,
    /// `tracestate` and `baggage` that came with it.
    pub carried: Option<Arc<Carried>>,
}

impl Record {
    /// Whether it counts as failed: no complete answer, or a status from 400 on (as the contract
    /// has it; the semantic conventions say 500 for servers, see [`Record::is_server_error`]).
    pub fn is_error(&self) -> bool {
        match self.ending {
            Ending::Running => false,
            Ending::Answered => self.status >= 400,
            Ending::Aborted | Ending::Failed | Ending::Panicked => true,
        }
    }

    /// Whether the server is to blame: it failed, or answered with a status from 500 on.
    pub fn is_server_error(&self) -> bool {
        match self.ending {
            Ending::Running | Ending::Aborted => false,
            Ending::Answered => self.status >= 500,
            Ending::Failed | Ending::Panicked => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_whole_up_to_its_limit_and_cut_at_a_character_beyond() {
        for len in [0, 1, INLINE_BYTES, INLINE_BYTES + 1, TEXT_BYTES_MAX] {
            let text = "x".repeat(len);
            assert_eq!(Text::new(&text).as_str(), text);
        }
        let long = format!("{}é", "x".repeat(TEXT_BYTES_MAX - 1));
        assert_eq!(Text::new(&long).as_str(), "x".repeat(TEXT_BYTES_MAX - 1));
    }

    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<Text>() <= 48, "{}", size_of::<Text>());
        assert!(size_of::<Record>() <= 192, "{}", size_of::<Record>());
    }

    #[test]
    fn unknown_methods_share_one_name() {
        let made_up = Method::from_bytes(b"BREW").expect("a token");
        assert_eq!(Verb::from(&made_up).as_str(), "_OTHER");
        assert_eq!(Verb::from(&Method::PATCH).as_str(), "PATCH");
    }
}
