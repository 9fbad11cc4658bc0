//! An answer as bytes, and back: what a store keeps of a response.
//!
//! ```text
//! version 1 · status u16 · headers u16 · (name u16, bytes; value u16, bytes)* · body
//! ```
//!
//! Refuses bytes it did not write; numbers are big-endian.

use bytes::{Buf, BufMut as _, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

const VERSION: u8 = 1;

/// A response that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl KeptResponse {
    /// The parts of an answer that `keeps` says, in the order they were in.
    pub(super) fn of(
        status: StatusCode,
        headers: &HeaderMap,
        keeps: impl Fn(&HeaderName) -> bool,
        body: Bytes,
    ) -> Self {
        let kept = headers.iter().filter(|(name, _)| keeps(name));
        Self {
            status,
            headers: kept
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            body,
        }
    }

    /// `None` when it has more headers, or longer ones, than fit.
    pub(super) fn encode(&self) -> Option<Bytes> {
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
        headers.append("x-secret", HeaderValue::from_static("no"));
        let keeps = |name: &HeaderName| name != "x-secret";
        KeptResponse::of(
            StatusCode::CREATED,
            &headers,
            keeps,
            Bytes::from_static(b"\0ok"),
        )
    }

    #[test]
    fn an_answer_comes_back_as_it_was() {
        let kept = kept();
        assert_eq!(kept.headers.len(), 3);
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
    fn a_header_beyond_its_place_is_not_cut() {
        let mut kept = kept();
        let long = HeaderValue::from_bytes(&[b'x'; 65_536]).expect("a value");
        kept.headers.insert("link", long);
        assert_eq!(kept.encode(), None);
    }
}
