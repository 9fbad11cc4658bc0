//! What an answer says of its work: was it done, or was the request refused before any of it?
//!
//! ```text
//!  5xx, and what says `NotDone`        not done, or not to its end      a repeat does it
//!  400 401 403–408 411–417 421 425     the request was refused          the key is free again,
//!  426 428 429 431                     before any work                  for a mended request, too
//!  422 in plain text, or with no body  an extractor refused the body    the same
//!  all others                          outcomes                         kept, repeats get them
//! ```
//!
//! So the rule is that of payment services: what failed before execution began uses no key up. 404
//! is on the list because there was nothing to work on; 402, 409, 410, 423 and 424 are not, because
//! whoever answers them looked at the work.
//!
//! Refuses to read bodies: 422 is both what axum's extractors answer to a body that does not fit,
//! always in plain text, and what handlers answer by a type of their own, which then has a media
//! type. A handler that answers 422 in plain text is taken for an extractor, and its answer says
//! `Idempotency-Stored: false`.

use http::Response;
use http_body::Body;

use crate::problem::{WasText, says_nothing_of_its_own};

/// Put into the extensions of a response, it says that the work was not done, whatever its status:
/// the answer is not kept, and a repeat with the same key does the work.
///
/// ```
/// use bridge_tower::idempotency::NotDone;
/// use http::{Response, StatusCode};
///
/// let mut sold_out = Response::new("try again when there is more");
/// *sold_out.status_mut() = StatusCode::CONFLICT;
/// sold_out.extensions_mut().insert(NotDone);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDone;

/// Whether repeats get this answer, and not the work done again.
pub(super) fn is_outcome<B: Body>(answer: &Response<B>) -> bool {
    if answer.extensions().get::<NotDone>().is_some() {
        return false;
    }
    match answer.status().as_u16() {
        400 | 401 | 403..=408 | 411..=417 | 421 | 425 | 426 | 428 | 429 | 431 | 500.. => false,
        422 => !is_of_an_extractor(answer),
        _ => true,
    }
}

/// Whether nobody gave the error a shape of its own, as a framework that refuses a body.
fn is_of_an_extractor<B: Body>(answer: &Response<B>) -> bool {
    says_nothing_of_its_own(answer) || answer.extensions().get::<WasText>().is_some()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::Full;

    use super::*;

    fn answer(status: u16, media: &str) -> Response<Full<Bytes>> {
        let answer = Response::builder().status(status);
        let answer = answer.header("content-type", media);
        answer.body(Full::from("it says why")).expect("a response")
    }

    #[test]
    fn refusals_use_no_key_up_and_outcomes_do() {
        let is_kept = |status| is_outcome(&answer(status, "application/json"));
        let refusals = [
            400, 401, 403, 404, 405, 406, 408, 412, 413, 415, 428, 429, 500, 503,
        ];
        assert!(!refusals.into_iter().any(is_kept));
        let outcomes = [200, 201, 204, 302, 303, 402, 409, 410, 422, 423];
        assert!(outcomes.into_iter().all(is_kept));
    }

    #[test]
    fn of_a_422_its_shape_tells_who_said_it() {
        assert!(is_outcome(&answer(422, "application/problem+json")));
        assert!(!is_outcome(&answer(422, "text/plain; charset=utf-8")));
        let mut shaped = answer(422, "application/problem+json");
        shaped.extensions_mut().insert(WasText);
        assert!(!is_outcome(&shaped), "a layer inside made it a problem");
    }

    #[test]
    fn whoever_says_that_nothing_was_done_is_believed() {
        let mut sold_out = answer(409, "application/json");
        sold_out.extensions_mut().insert(NotDone);
        assert!(!is_outcome(&sold_out));
    }
}
