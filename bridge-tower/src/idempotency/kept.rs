//! An answer as bytes, and back: what a store keeps of a response.
//!
//! ```text
//! version 1 · status u16 · headers u16 · (name u16, bytes; value u16, bytes)* · body
//! ```
//!
//! Refuses bytes it did not write; numbers are big-endian.

use bytes::{Buf, BufMut as _, Bytes, BytesMut};
use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Response, StatusCode};

/// Says that an answer was kept from an earlier request.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Says that repeats may not get this answer: `false` when they will not, `later` when it is not
/// kept yet, because the store is away, and keeping it goes on.
pub const IDEMPOTENCY_STORED: HeaderName = HeaderName::from_static("idempotency-stored");
/// The same, as calls say it: of a handler that passes a call's answer on.
const REPLAYED: HeaderName = HeaderName::from_static(contract::headers::REPLAYED);
const STORED: HeaderName = HeaderName::from_static(contract::headers::STORED);

const VERSION: u8 = 1;
/// Names and values of the headers of an answer that is kept, in bytes.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Headers that are about one exchange and not about the work: of the connection, of the moment, and
/// what a layer says of this very answer. The length is known by the body.
const OF_ONE_EXCHANGE: [HeaderName; 15] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    CONTENT_LENGTH,
    DATE,
    SET_COOKIE,
    IDEMPOTENCY_REPLAYED,
    IDEMPOTENCY_STORED,
    REPLAYED,
    STORED,
];

/// A response that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl KeptResponse {
    /// An answer with what holds for repeats, too, of its headers, in the order they were in.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        let kept = headers.iter().filter(|(name, _)| {
            !OF_ONE_EXCHANGE.contains(name) && !is_named_by_connection(headers, name)
        });
        Self {
            status,
            headers: kept
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            body,
        }
    }

    /// `None` when its headers have more than 16 KiB.
    pub(super) fn encode(&self) -> Option<Bytes> {
        let lengths = self.headers.iter();
        let lengths = lengths.map(|(name, value)| name.as_str().len() + value.len());
        if lengths.sum::<usize>() > HEADER_BYTES_MAX {
            return None;
        }
        let mut bytes = BytesMut::with_capacity(64 + self.body.len());
        bytes.put_u8(VERSION);
        bytes.put_u16(self.status.as_u16());
        bytes.put_u16(u16::try_from(self.headers.len()).ok()?);
        for (name, value) in &self.headers {
            for part in [name.as_str().as_bytes(), value.as_bytes()] {
                bytes.put_u16(u16::try_from(part.len()).ok()?);
                bytes.put_slice(part);
            }
        }
        bytes.put_slice(&self.body);
        Some(bytes.freeze())
    }

    pub(super) fn decode(mut bytes: Bytes) -> Option<Self> {
        if bytes.try_get_u8().ok()? != VERSION {
            return None;
        }
        let status = StatusCode::from_u16(bytes.try_get_u16().ok()?).ok()?;
        let mut headers = HeaderMap::new();
        for _ in 0..bytes.try_get_u16().ok()? {
            let name = HeaderName::from_bytes(&part(&mut bytes)?).ok()?;
            let value = HeaderValue::from_maybe_shared(part(&mut bytes)?).ok()?;
            headers.append(name, value);
        }
        Some(Self {
            status,
            headers,
            body: bytes,
        })
    }

    pub(super) fn into_response<B: From<Vec<u8>>>(self) -> Response<B> {
        let mut response = Response::new(B::from(self.body.into()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Whether `Connection` says that this header ends with it.
fn is_named_by_connection(headers: &HeaderMap, name: &HeaderName) -> bool {
    let values = headers.get_all(CONNECTION).iter();
    let mut named = values.flat_map(|it| it.as_bytes().split(|byte| *byte == b','));
    named.any(|it| {
        it.trim_ascii()
            .eq_ignore_ascii_case(name.as_str().as_bytes())
    })
}

fn part(bytes: &mut Bytes) -> Option<Bytes> {
    let length = usize::from(bytes.try_get_u16().ok()?);
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> KeptResponse {
        let mut headers = HeaderMap::new();
        headers.append("location", HeaderValue::from_static("/orders/7"));
        headers.append("link", HeaderValue::from_static("<a>"));
        headers.append("link", HeaderValue::from_static("<b>"));
        for (name, value) in [
            ("content-encoding", "gzip"),
            ("access-control-allow-origin", "*"),
            ("x-of-the-shop", "yes"),
            ("set-cookie", "secret"),
            ("date", "today"),
            ("content-length", "3"),
            ("connection", "close, X-Hop"),
            ("x-hop", "of the connection"),
            ("idempotency-stored", "false"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let body = Bytes::from_static(b"\0ok");
        KeptResponse::of(StatusCode::CREATED, &headers, body)
    }

    #[test]
    fn an_answer_comes_back_as_it_was() {
        let kept = kept();
        let names: Vec<_> = kept.headers.keys().map(HeaderName::as_str).collect();
        let expected = [
            "location",
            "link",
            "content-encoding",
            "access-control-allow-origin",
            "x-of-the-shop",
        ];
        assert_eq!((names, kept.headers.len()), (expected.to_vec(), 6));
        let bytes = kept.encode().expect("fits");
        assert_eq!(KeptResponse::decode(bytes), Some(kept));
    }

    #[test]
    fn bytes_that_were_cut_or_are_something_else_are_no_answer() {
        let bytes = kept().encode().expect("fits");
        let head = bytes.len() - kept().body.len();
        for end in 0..head {
            assert_eq!(KeptResponse::decode(bytes.slice(..end)), None, "{end}");
        }
        let mut other = bytes.to_vec();
        other[0] = 2;
        assert_eq!(KeptResponse::decode(other.into()), None);
    }

    #[test]
    fn headers_beyond_their_bound_are_not_cut() {
        let mut kept = kept();
        kept.headers.clear();
        let mut encoded = |bytes: usize| {
            let long = HeaderValue::from_bytes(&vec![b'x'; bytes]).expect("a value");
            kept.headers.insert("link", long);
            kept.encode()
        };
        let most = HEADER_BYTES_MAX - "link".len();
        assert!(encoded(most).is_some());
        assert_eq!(encoded(most + 1), None);
    }

    #[test]
    fn what_an_earlier_version_kept_is_read() {
        let row = b"\x01\x00\xc9\x00\x01\x00\x08location\x00\x02/7ok";
        let kept = KeptResponse::decode(Bytes::from_static(row)).expect("it is version 1");
        let expected = (StatusCode::CREATED, "/7", &b"ok"[..]);
        let location = kept.headers["location"].to_str().expect("text");
        assert_eq!((kept.status, location, &*kept.body), expected);
    }
}
