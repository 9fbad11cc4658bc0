//! A request's body: read within its limits, unpacked, in one of two encodings.
//!
//! Refuses what is too large, too slow, or in an encoding that is not known; a packed body is
//! unpacked no further than its limit.

use std::io::Read as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use contract::clock::Clock;
use http_body_util::{BodyExt as _, Limited};

/// Largest body, as it comes and unpacked, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 4 << 20;
/// Time a body has to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(15);

/// How a request is encoded, and so its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Protobuf,
    Json,
}

impl Form {
    /// From the content type; `None` for any other.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        match kind.split(';').next()?.trim() {
            "application/x-protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// Why a body was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

fn too_large() -> Fault {
    let text = format!(
        "the body is over {} MiB; export smaller batches",
        BODY_BYTES_MAX >> 20
    );
    Fault::new(StatusCode::PAYLOAD_TOO_LARGE, text)
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packed {
    No,
    Gzip,
}

impl Packed {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let said = headers.get(CONTENT_ENCODING).map(|it| it.as_bytes());
        match said.map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"" | b"identity") => Ok(Self::No),
            Some(b"gzip") => Ok(Self::Gzip),
            Some(_) => {
                let text = "the content encoding is not known; use gzip or none";
                Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
            }
        }
    }

    /// The body as it was before it was packed.
    pub(super) fn unpack(self, bytes: Bytes) -> Result<Bytes, Fault> {
        if self == Self::No {
            return Ok(bytes);
        }
        let mut unpacked = Vec::new();
        let limit = BODY_BYTES_MAX as u64 + 1;
        let mut reader = flate2::read::MultiGzDecoder::new(&bytes[..]).take(limit);
        let broken = |error| {
            let text = format!("the body is not gzip: {error}");
            Fault::new(StatusCode::BAD_REQUEST, text)
        };
        reader.read_to_end(&mut unpacked).map_err(broken)?;
        if unpacked.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        Ok(unpacked.into())
    }
}

/// Reads a body to its end.
pub(super) async fn read(body: Body, clock: &Clock) -> Result<Bytes, Fault> {
    let body = Limited::new(body, BODY_BYTES_MAX).collect();
    match clock.timeout(BODY_PATIENCE, body).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => {
            let text = format!("the body ended early: {error}");
            Err(Fault::new(StatusCode::BAD_REQUEST, text))
        }
        Err(_) => {
            let text = format!("the body took longer than {} s", BODY_PATIENCE.as_secs());
            Err(Fault::new(StatusCode::REQUEST_TIMEOUT, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Bytes {
        let level = flate2::Compression::best();
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
        writer.write_all(bytes).expect("memory");
        writer.finish().expect("memory").into()
    }

    #[test]
    fn a_bomb_is_unpacked_no_further_than_its_limit() {
        let fits = gzip(&vec![0; BODY_BYTES_MAX]);
        assert_eq!(
            Packed::Gzip.unpack(fits).expect("fits").len(),
            BODY_BYTES_MAX
        );
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000, "it is small on the wire");
        let fault = Packed::Gzip.unpack(bomb).expect_err("too large");
        assert_eq!(fault.status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn what_is_no_gzip_is_said_to_be_none() {
        for bad in [&b"plain"[..], b"", &gzip(b"hello")[..10]] {
            let fault = Packed::Gzip.unpack(Bytes::copy_from_slice(bad));
            assert_eq!(fault.expect_err("broken").status, StatusCode::BAD_REQUEST);
        }
    }

    #[tokio::test]
    async fn a_body_at_its_limit_is_read_and_one_byte_more_is_not() {
        let clock = Clock::system();
        let of = |bytes: usize| Body::from(vec![0_u8; bytes]);
        let read_len = async |bytes| read(of(bytes), &clock).await.map(|it| it.len());
        assert_eq!(read_len(BODY_BYTES_MAX).await, Ok(BODY_BYTES_MAX));
        let fault = read_len(BODY_BYTES_MAX + 1).await.expect_err("too large");
        assert_eq!(fault.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
