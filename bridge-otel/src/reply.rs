//! What a collector's answer means: taken, taken in part, later, or not at all.
//!
//! Only what OTLP calls retryable is read as "later"; everything else that is not a success is
//! final.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use crate::endpoint::{Endpoint, Protocol, Signal};
use crate::fault::Fault;
use crate::proto::{Reader, Value};
use crate::resource::percent_decoded;

/// Bytes of a collector's own words that are kept.
const WORDS_BYTES_MAX: usize = 256;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

/// What was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Spans or points that were not.
    pub(crate) rejected: u64,
    /// Why they were not, or a warning.
    pub(crate) words: String,
}

/// Reads an answer to a request of `signal`.
pub(crate) fn read(answer: &Answer, endpoint: &Endpoint, signal: Signal) -> Result<Taken, Fault> {
    let url = endpoint.url(signal);
    if let Some(fault) = by_status(answer, &url) {
        return Err(fault);
    }
    match endpoint.protocol {
        Protocol::HttpProtobuf if answer.status.is_success() => Ok(taken(&answer.body)),
        Protocol::HttpProtobuf => Err(refused(answer, url)),
        Protocol::Grpc => grpc(answer, url),
    }
}

/// What the HTTP status says, where it says the same in both protocols.
fn by_status(answer: &Answer, url: &str) -> Option<Fault> {
    let (status, url) = (answer.status, url.to_owned());
    match status.as_u16() {
        404 => Some(Fault::NotFound { url }),
        401 | 403 => Some(Fault::Unauthorized {
            url,
            status: status.to_string(),
        }),
        429 | 502 | 503 | 504 => {
            let after = answer.headers.get(RETRY_AFTER);
            let seconds = after.and_then(|it| it.to_str().ok()?.trim().parse().ok());
            Some(Fault::Busy {
                url,
                status: status.to_string(),
                again_in: seconds.map(Duration::from_secs),
            })
        }
        _ => None,
    }
}

fn refused(answer: &Answer, url: String) -> Fault {
    let status = answer.status.to_string();
    let why = match answer.headers.get(LOCATION).and_then(|it| it.to_str().ok()) {
        Some(elsewhere) if answer.status.is_redirection() => {
            format!("it is at {elsewhere}, redirects are not followed")
        }
        // A body of this type is a `google.rpc.Status`, whose field 2 is its message.
        _ if is_protobuf(answer) => match Reader::last(&answer.body, 2) {
            Some(Value::Bytes(message)) => words(message),
            _ => String::new(),
        },
        _ => words(&answer.body),
    };
    Fault::Refused { url, status, why }
}

fn is_protobuf(answer: &Answer) -> bool {
    let kind = answer.headers.get(CONTENT_TYPE);
    kind.is_some_and(|it| it.as_bytes().starts_with(b"application/x-protobuf"))
}

/// The partial success in an export response, which has the same fields for every signal.
fn taken(body: &[u8]) -> Taken {
    let partial = Reader::last(body, 1).and_then(Value::bytes);
    let mut taken = Taken::default();
    for (field, value) in Reader::new(partial.unwrap_or_default()) {
        match (field, value) {
            // A negative count is nonsense; it is read as none.
            (1, Value::Number(rejected)) => {
                taken.rejected = u64::try_from(rejected.cast_signed()).unwrap_or(0);
            }
            (2, Value::Bytes(message)) => taken.words = words(message),
            _ => {}
        }
    }
    taken
}

fn grpc(answer: &Answer, url: String) -> Result<Taken, Fault> {
    let kind = answer.headers.get(CONTENT_TYPE);
    let is_grpc = kind.is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"));
    // An answer without a message has its status among the headers.
    let trailers = answer.trailers.as_ref().unwrap_or(&answer.headers);
    let code = trailers.get("grpc-status").and_then(|it| it.to_str().ok());
    let code: Option<u16> = code.and_then(|it| it.parse().ok());
    let Some(code) = code.filter(|_| is_grpc && answer.status == StatusCode::OK) else {
        return Err(Fault::Protocol {
            url,
            protocol: Protocol::Grpc.as_str(),
            why: format!("it answered {} without a gRPC status", answer.status),
        });
    };
    let said = trailers.get("grpc-message").and_then(|it| it.to_str().ok());
    let why = said.and_then(percent_decoded).unwrap_or_default();
    let status = format!("gRPC status {code}");
    let again_in = trailers.get("grpc-status-details-bin");
    let again_in = again_in.and_then(|it| retry_delay(it.as_bytes()));
    match (code, again_in) {
        // Five bytes of framing come before the message.
        (0, _) => Ok(taken(answer.body.get(5..).unwrap_or_default())),
        (7 | 16, _) => Err(Fault::Unauthorized { url, status }),
        // Exhausted is final unless the collector says when it expects to have recovered.
        (1 | 4 | 10 | 11 | 14 | 15, _) | (8, Some(_)) => Err(Fault::Busy {
            url,
            status,
            again_in,
        }),
        _ => Err(Fault::Refused {
            url,
            status,
            why: words(why.as_bytes()),
        }),
    }
}

/// The delay in a `google.rpc.RetryInfo` among the details of a status.
fn retry_delay(details: &[u8]) -> Option<Duration> {
    let status = STANDARD
        .decode(details)
        .or_else(|_| STANDARD_NO_PAD.decode(details))
        .ok()?;
    let is_retry_info = |any: &&[u8]| {
        let name = Reader::last(any, 1).and_then(Value::bytes);
        name.is_some_and(|it| it.ends_with(b"google.rpc.RetryInfo"))
    };
    let details = Reader::new(&status).filter(|(field, _)| *field == 3);
    let info = details
        .filter_map(|(_, value)| value.bytes())
        .find(is_retry_info)?;
    let delay = Reader::last(Reader::last(info, 2)?.bytes()?, 1)?.bytes()?;
    let part = |field| match Reader::last(delay, field) {
        Some(Value::Number(number)) => number,
        _ => 0,
    };
    let nanos = u32::try_from(part(2))
        .ok()
        .filter(|it| *it < 1_000_000_000)?;
    Some(Duration::new(
        u64::try_from(part(1).cast_signed()).ok()?,
        nanos,
    ))
}

/// What of a collector's words can be shown.
fn words(bytes: &[u8]) -> String {
    let kept = &bytes[..bytes.len().min(WORDS_BYTES_MAX)];
    let text = String::from_utf8_lossy(kept);
    let shown = text.trim_end_matches('\u{fffd}').trim();
    shown
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Writer;
    use http::HeaderValue;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).expect("a value"));
        }
        Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: map,
            body: body.to_vec(),
            trailers: None,
        }
    }

    fn http(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Result<Taken, Fault> {
        let endpoint = Endpoint::new("http://a:1", Protocol::HttpProtobuf).expect("valid");
        read(&answer(status, headers, body), &endpoint, Signal::Traces)
    }

    fn grpc(headers: &[(&'static str, &str)]) -> Result<Taken, Fault> {
        let endpoint = Endpoint::new("http://a:1", Protocol::Grpc).expect("valid");
        let mut all = vec![("content-type", "application/grpc")];
        all.extend_from_slice(headers);
        read(&answer(200, &all, b""), &endpoint, Signal::Traces)
    }

    #[test]
    fn every_success_is_one_and_a_partial_one_says_what_is_missing() {
        assert_eq!(http(200, &[], b""), Ok(Taken::default()));
        assert_eq!(http(204, &[], b""), Ok(Taken::default()));
        let mut body = Writer::default();
        body.message(1, |it| {
            it.number(1, 3);
            it.text(2, "too old");
        });
        let words = "too old".to_owned();
        assert_eq!(http(200, &[], &body.0), Ok(Taken { rejected: 3, words }));
    }

    #[test]
    fn only_what_otlp_lists_is_worth_repeating() {
        for status in [429, 502, 503, 504] {
            let fault = http(status, &[("retry-after", "7")], b"").expect_err("busy");
            assert!(fault.is_passing(), "{status}");
            assert_eq!(fault.again_in(), Some(Duration::from_secs(7)));
        }
        for status in [301, 400, 401, 403, 404, 405, 408, 413, 415, 500, 501] {
            assert!(
                !http(status, &[], b"").expect_err("final").is_passing(),
                "{status}"
            );
        }
        for code in 0..=16 {
            let passing = grpc(&[("grpc-status", &code.to_string())]).err();
            let passing = passing.is_some_and(|it| it.is_passing());
            assert_eq!(passing, [1, 4, 10, 11, 14, 15].contains(&code), "{code}");
        }
    }

    #[test]
    fn an_exhausted_collector_that_says_when_is_asked_again() {
        let mut status = Writer::default();
        status.number(1, 8);
        status.message(3, |any| {
            any.text(1, "type.googleapis.com/google.rpc.RetryInfo");
            any.message(2, |info| {
                info.message(1, |delay| {
                    delay.number(1, 2);
                    delay.number(2, 500_000_000);
                });
            });
        });
        let details = STANDARD_NO_PAD.encode(&status.0);
        let headers = [("grpc-status", "8"), ("grpc-status-details-bin", &details)];
        let fault = grpc(&headers).expect_err("busy");
        assert_eq!(fault.again_in(), Some(Duration::from_millis(2_500)));
    }

    #[test]
    fn the_words_of_a_refusal_are_shown_in_bounds() {
        let mut body = Writer::default();
        body.text(2, "no such tenant\u{1b}[31m");
        let typed = [("content-type", "application/x-protobuf")];
        let said = http(400, &typed, &body.0).expect_err("refused").to_string();
        assert!(said.contains("no such tenant [31m"), "{said}");
        let long = "é".repeat(WORDS_BYTES_MAX);
        let Err(Fault::Refused { why, .. }) = http(400, &[], long.as_bytes()) else {
            panic!("refused");
        };
        assert_eq!(why.len(), WORDS_BYTES_MAX);
        let moved = http(308, &[("location", "https://b/v1/traces")], b"");
        assert!(
            moved
                .expect_err("moved")
                .to_string()
                .contains("https://b/v1/traces")
        );
    }

    #[test]
    fn an_answer_that_is_not_grpc_is_another_protocol() {
        let endpoint = Endpoint::new("http://a:1", Protocol::Grpc).expect("valid");
        for headers in [&[][..], &[("content-type", "application/grpc")]] {
            let fault = read(&answer(200, headers, b"hi"), &endpoint, Signal::Traces);
            assert!(matches!(fault, Err(Fault::Protocol { .. })), "{fault:?}");
        }
    }
}
