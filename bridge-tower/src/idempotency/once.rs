//! One request with a key: compared, claimed, run or answered with what was kept.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use contract::error_code::ErrorCode;
use http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body;
use sha2::{Digest as _, Sha256};
use tower_service::Service;

use super::counts::Counters;
use super::grant::{Grant, Keep, Kept, LEASE};
use super::header::Named;
use super::kept::{IDEMPOTENCY_REPLAYED, IDEMPOTENCY_STORED, KeptResponse};
use super::run::{CutOff, Turn};
use super::store::{Ask, TEXT_BYTES_MAX, Work};
use super::verdict::{NotDone, is_outcome};
use super::whole::{Taken, Unread, read, taken};
use super::{RouteKey, Settings};
use crate::context::{self, Deadline};
use crate::problem::{Problem, ProblemBody};

/// How long a request without a deadline waits for the first one with its key.
const WAIT: Duration = Duration::from_secs(30);
/// How much sooner than its deadline a request stops waiting, so that it is told why.
const WAIT_MARGIN: Duration = Duration::from_millis(50);
/// When a client should come back whose first request still runs, or whom no store could answer.
const COME_BACK: HeaderValue = HeaderValue::from_static("1");

/// A request with a key.
pub(super) struct Once {
    pub(super) settings: Arc<Settings>,
    pub(super) route: RouteKey,
    pub(super) named: Named,
}

/// Says that the work of a request is done once already, by these headers; an extension of the
/// request, so that another layer further inside does not wait for the one outside, which waits for
/// it.
#[derive(Clone, Debug, Default)]
pub(super) struct DoneOnce(Vec<HeaderName>);

impl DoneOnce {
    pub(super) fn is_by(&self, header: &HeaderName) -> bool {
        self.0.contains(header)
    }
}

impl Once {
    /// The answer: what `service` makes of `request`, or what is kept of an earlier one.
    pub(super) async fn answer<S, B, Res>(
        self,
        service: S,
        request: Request<B>,
    ) -> Result<Response<ProblemBody<Res>>, S::Error>
    where
        S: Service<Request<B>, Response = Response<Res>> + Send + 'static,
        S::Future: Send,
        S::Error: Send + 'static,
        B: Body<Data = Bytes> + From<Bytes> + Send + 'static,
        Res: Body<Data = Bytes> + Send + 'static,
    {
        let (mut parts, body) = request.into_parts();
        let body = match read(body, self.settings.request_bytes_max).await {
            Ok(body) => body,
            Err(unread) => return Ok(self.unread(&unread)),
        };
        let grant = match self.begin(&parts, &body).await {
            Ok(grant) => grant,
            Err(answer) => return Ok(answer.map(ProblemBody::own)),
        };
        self.settings.counting.add(|it| &it.ran);
        let done = parts.extensions.get_or_insert_default::<DoneOnce>();
        done.0.push(self.route.header.header().clone());
        let request = Request::from_parts(parts, B::from(body));
        let work = run(self.settings.clone(), service, request);
        let keep = self.route.header.terms().kept_for();
        match grant.run(keep, work).await {
            Ok((answer, kept)) => answer.map(|it| self.told(it, kept)),
            Err(cut_off) => Ok(was_cut_off(cut_off)),
        }
    }

    /// The answer, with a word on whether repeats will get it.
    fn told<Res>(&self, mut response: Response<Res>, kept: Kept) -> Response<Res> {
        let (word, counted): (_, fn(&Counters) -> &AtomicU64) = match kept {
            Kept::Outcome => return response,
            Kept::Later => ("later", |it| &it.late),
            Kept::Done | Kept::Nothing | Kept::Failed => ("false", |it| &it.not_kept),
        };
        self.settings.counting.add(counted);
        say_stored(response.headers_mut(), word);
        response
    }

    /// The right to do the work, or what to answer instead.
    async fn begin(&self, parts: &Parts, body: &Bytes) -> Result<Grant, Response<Vec<u8>>> {
        let left = context::deadline().map(|it| it.remaining().saturating_sub(WAIT_MARGIN));
        let scope = self.settings.scope.as_ref().map(|scope| scope(parts));
        let scopes = [scope.unwrap_or_default(), self.named.scope.clone()];
        let ask = Ask {
            work: Arc::new(Work {
                operation: short(&self.route.operation),
                scope: short(&joined(scopes)),
                key: self.named.key.clone(),
            }),
            digest: digest(parts, body),
            lease: LEASE,
            wait: left.unwrap_or(WAIT),
        };
        match self.settings.runner.begin(&ask).await {
            Ok(Turn::Run(grant)) => Ok(grant),
            Ok(Turn::Replay(kept)) => Err(self.replay(kept)),
            Ok(Turn::Conflict) => {
                let text = "the idempotency key was used for another request; use a new key";
                let code = StatusCode::UNPROCESSABLE_ENTITY;
                Err(self.refused(|it| &it.conflicts, code, ErrorCode::Conflict, text))
            }
            Ok(Turn::Busy) => {
                let text = "the first request with this idempotency key is still being worked on";
                let code = StatusCode::CONFLICT;
                let answer = self.refused(|it| &it.busy, code, ErrorCode::Conflict, text);
                Err(come_back(answer))
            }
            Err(error) => {
                let text = format!("nothing was done: {error}");
                let code = StatusCode::SERVICE_UNAVAILABLE;
                let answer = self.refused(|it| &it.refused, code, ErrorCode::Overloaded, &text);
                Err(come_back(answer))
            }
        }
    }

    fn replay(&self, kept: Option<Bytes>) -> Response<Vec<u8>> {
        self.settings.counting.add(|it| &it.replayed);
        let Some(kept) = kept else {
            let text = "the work of this idempotency key was done; its answer was not kept";
            return problem(StatusCode::CONFLICT, ErrorCode::Conflict, text);
        };
        let Some(kept) = KeptResponse::decode(kept) else {
            let operation = &*self.route.operation;
            tracing::error!(operation, "a kept answer cannot be read");
            let text = "the work of this idempotency key was done; its answer cannot be read";
            return problem(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal, text);
        };
        let mut answer: Response<Vec<u8>> = kept.into_response();
        let yes = HeaderValue::from_static("true");
        answer.headers_mut().insert(IDEMPOTENCY_REPLAYED, yes);
        answer
    }

    fn refused(
        &self,
        counted: fn(&Counters) -> &AtomicU64,
        status: StatusCode,
        code: ErrorCode,
        text: &str,
    ) -> Response<Vec<u8>> {
        self.settings.counting.add(counted);
        not_stored(problem(status, code, text))
    }

    fn unread<Res>(&self, unread: &Unread) -> Response<ProblemBody<Res>> {
        let max = self.settings.request_bytes_max;
        let (status, text) = match unread {
            Unread::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("a request with an idempotency key may have {max} bytes; nothing was done"),
            ),
            Unread::Broken => (
                StatusCode::BAD_REQUEST,
                "the body broke off; nothing was done".to_owned(),
            ),
        };
        let answer = self.refused(|it| &it.refused, status, ErrorCode::Validation, &text);
        answer.map(ProblemBody::own)
    }
}

/// The answer to a request whose key is missing or none.
pub(super) fn unusable_key<Res>(settings: &Settings, fault: &str) -> Response<ProblemBody<Res>> {
    settings.counting.add(|it| &it.unusable);
    let answer = problem(StatusCode::BAD_REQUEST, ErrorCode::Validation, fault);
    not_stored(answer).map(ProblemBody::own)
}

fn problem(status: StatusCode, code: ErrorCode, text: &str) -> Response<Vec<u8>> {
    let problem = Problem::new(status).with("code", code.as_str());
    problem.detail(text).traced().into_response()
}

fn was_cut_off<Res>(cut_off: CutOff) -> Response<ProblemBody<Res>> {
    let (status, code) = (StatusCode::GATEWAY_TIMEOUT, ErrorCode::Timeout);
    not_stored(problem(status, code, &cut_off.to_string())).map(ProblemBody::own)
}

/// The answer, and that repeats will not get it: neither from here, nor from a layer outside that
/// reads another header.
pub(crate) fn not_stored<Res>(mut answer: Response<Res>) -> Response<Res> {
    say_stored(answer.headers_mut(), "false");
    answer.extensions_mut().insert(NotDone);
    answer
}

fn say_stored(headers: &mut HeaderMap, word: &'static str) {
    headers.insert(IDEMPOTENCY_STORED, HeaderValue::from_static(word));
}

fn come_back(mut answer: Response<Vec<u8>>) -> Response<Vec<u8>> {
    answer.headers_mut().insert(RETRY_AFTER, COME_BACK);
    answer
}

/// Runs the handler, and says what to keep of its answer.
async fn run<S, B, Res>(
    settings: Arc<Settings>,
    mut service: S,
    request: Request<B>,
) -> (Result<Response<ProblemBody<Res>>, S::Error>, Keep)
where
    S: Service<Request<B>, Response = Response<Res>>,
    Res: Body<Data = Bytes>,
{
    let deadline = context::deadline();
    let response = match service.call(request).await {
        Ok(response) => response,
        Err(error) => return (Err(error), Keep::Nothing),
    };
    if !is_outcome(&response) || is_too_late(response.status(), deadline.as_ref()) {
        return (Ok(response.map(ProblemBody::inner)), Keep::Nothing);
    }
    if has_events(response.headers()) {
        return (Ok(response.map(ProblemBody::inner)), Keep::Done);
    }
    let (head, body) = response.into_parts();
    let body = match taken(body, settings.response_bytes_max).await {
        Taken::Whole(body) => body,
        Taken::Streams(body) => return (Ok(Response::from_parts(head, body)), Keep::Done),
        Taken::Broken => {
            let text = "the answer's body broke off";
            let code = StatusCode::INTERNAL_SERVER_ERROR;
            let answer = problem(code, ErrorCode::Internal, text).map(ProblemBody::own);
            return (Ok(answer), Keep::Done);
        }
    };
    let kept = KeptResponse::of(head.status, &head.headers, body.clone());
    let keep = kept.encode().map_or(Keep::Done, Keep::Outcome);
    let answer = Response::from_parts(head, ProblemBody::own(body.into()));
    (Ok(answer), keep)
}

/// Whether a handler fails after its deadline: it may fail because of it, which says nothing about
/// the work.
fn is_too_late(status: StatusCode, deadline: Option<&Deadline>) -> bool {
    let failed = status.is_client_error() || status.is_server_error();
    failed && deadline.is_some_and(Deadline::has_passed)
}

/// Whether it is a stream of events, which is one though its first events may be there at once.
fn has_events(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let kind = kind.and_then(|it| it.split(|byte| *byte == b';').next());
    kind.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(b"text/event-stream"))
}

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Equal only for requests that ask for the same, with the same credentials.
fn digest(parts: &Parts, body: &Bytes) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    add(parts.method.as_str().as_bytes());
    let target = parts.uri.path_and_query().map_or("", |it| it.as_str());
    add(target.as_bytes());
    for name in [CONTENT_TYPE, AUTHORIZATION, COOKIE, API_KEY] {
        let values = parts.headers.get_all(name);
        add(&(values.iter().count() as u64).to_be_bytes());
        values.iter().for_each(|it| add(it.as_bytes()));
    }
    add(body);
    hash.finalize().into()
}

/// Two scopes as one, which tells apart what they tell apart.
fn joined(scopes: [String; 2]) -> String {
    match scopes {
        [one, none] | [none, one] if none.is_empty() => one,
        [one, other] => format!("{}:{one}{other}", one.len()),
    }
}

/// A text as it is, or, when it is longer than a store takes, something that stands for it.
fn short(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let digest = Sha256::digest(text);
    let hex = digest.iter().map(|byte| format!("{byte:02x}"));
    hex.collect()
}
