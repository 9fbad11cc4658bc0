//! Calls to one fixed address: no runtime, no identity, no balancing.
//!
//! Over gRPC a method is asked for at `/package.Service/Method` and answers with its message, as
//! any gRPC server has it; an error with a reason of its own (`google.rpc.ErrorInfo`) is a
//! handler's. Over HTTP it is asked for in its JSON form; a problem with a code of its own is a
//! handler's. Every other failure is the transport's.
//!
//! Refuses to repeat what may have run, as everywhere, and streams over HTTP.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bridge_tower::{CallContext, Deadline};
use bytes::Bytes;
use contract::clock::Clock;
use contract::error_code::ErrorCode;
use contract::headers::{GRPC_TIMEOUT, TRACEPARENT, grpc_timeout};
use contract::transport::{Channel, GrpcRequest, Messages};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use tokio_stream::Stream;
use tonic::Status;

use super::application::Application;
use super::asked::{Answered, Asked, Payloads, Replied, late, until};
use super::json_form::JsonForm;
use super::outcome::{Dispatch, Failure};
use super::problems::{Base, json_request, of_problem, unanswered};
use super::reply::About;
use super::rich::reason;
use super::web::{Web, WebError};
use crate::link::{CONNECT_TIMEOUT_MAX, Link};
use crate::options::Retry;
use crate::telemetry;

/// Carries the idempotency key, as over HTTP.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Correlates the attempts of one call.
const REQUEST_ID: &str = "x-request-id";

/// A service at an address.
pub(super) struct Fixed {
    pub(super) far: Far,
    pub(super) clock: Clock,
    pub(super) timeout: Duration,
    pub(super) retry: Retry,
}

/// What is spoken there, with what each method needs in the order of the client's methods.
pub(super) enum Far {
    Grpc {
        link: Arc<Link>,
        uris: Box<[Uri]>,
    },
    Json {
        server: Server,
        base: Base,
        forms: &'static [JsonForm],
    },
}

/// Where HTTP goes.
#[derive(Clone, Debug)]
pub(super) enum Server {
    Web(Arc<Web>),
    Application(Application),
}

impl Server {
    async fn send(
        &self,
        request: Request<Full<Bytes>>,
        clock: &Clock,
        deadline: &Deadline,
    ) -> Result<Response<Bytes>, WebError> {
        match self {
            Self::Web(web) => web.send(request, deadline).await,
            Self::Application(app) => {
                let answer = clock.timeout(deadline.remaining(), app.send(request));
                answer.await.unwrap_or(Err(WebError::Late))
            }
        }
    }
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.far {
            Far::Grpc { uris, .. } => {
                let authority = uris.first().and_then(Uri::authority);
                write!(
                    f,
                    "gRPC at {}",
                    authority.map_or("nowhere", |it| it.as_str())
                )
            }
            Far::Json { server, .. } => write!(f, "JSON at {server:?}"),
        }
    }
}

impl Fixed {
    pub(super) async fn unary(&self, asked: Asked) -> Result<Replied, Failure> {
        Answered::Once.check(asked.method)?;
        let (deadline, outer) = self.begin(&asked)?;
        self.attempts(&asked, &deadline, outer.as_ref()).await
    }

    /// A stream is opened once.
    pub(super) async fn stream(&self, asked: Asked) -> Result<Payloads, Failure> {
        Answered::InAStream.check(asked.method)?;
        let Far::Grpc { link, uris } = &self.far else {
            let text = "a stream has no plain HTTP form; reach the service with `Remote::grpc`";
            return Err(Failure::before_dispatch(ErrorCode::Validation, text));
        };
        let (deadline, outer) = self.begin(&asked)?;
        let channel = channel(link, &deadline).await?;
        let headers = headers(&asked, &deadline, outer.as_ref())?;
        let opening = channel.stream(grpc_request(&uris[asked.index], &asked, headers));
        let opened = self.clock.timeout(deadline.remaining(), opening).await;
        let messages = opened.map_err(|_| late())?;
        let messages = messages.map_err(|status| failed(&status))?;
        Ok(until(deadline, Reading(messages)))
    }

    fn begin(&self, asked: &Asked) -> Result<(Deadline, Option<CallContext>), Failure> {
        let outer = asked.options.outer.clone().or_else(telemetry::current);
        let deadline = asked
            .options
            .deadline(&self.clock, self.timeout, outer.as_ref())?;
        Ok((deadline, outer))
    }

    /// Each step ends at the deadline by itself, so that it is known what was sent until then.
    async fn attempts(
        &self,
        asked: &Asked,
        deadline: &Deadline,
        outer: Option<&CallContext>,
    ) -> Result<Replied, Failure> {
        let mut failures = 0;
        loop {
            let failure = match self.attempt(asked, deadline, outer).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            failures += 1;
            let pause = self.retry.pause(failures - 1, fastrand::f64());
            let is_last = failures >= self.retry.attempts || deadline.remaining() <= pause;
            // What this side refuses, or the other for good, it refuses again.
            let is_final = failure.dispatch == Dispatch::Perhaps || !failure.code.retryable();
            if is_final || is_last {
                return Err(failure);
            }
            self.clock.sleep(pause).await;
        }
    }

    async fn attempt(
        &self,
        asked: &Asked,
        deadline: &Deadline,
        outer: Option<&CallContext>,
    ) -> Result<Replied, Failure> {
        let headers = headers(asked, deadline, outer)?;
        match &self.far {
            Far::Grpc { link, uris } => {
                let channel = channel(link, deadline).await?;
                let asking = channel.unary(grpc_request(&uris[asked.index], asked, headers));
                let asking = self.clock.timeout(deadline.remaining(), asking);
                let reply = asking.await.map_err(|_| late())?;
                let reply = reply.map_err(|status| failed(&status))?;
                Ok(Replied {
                    about: About::of(&reply.metadata),
                    payload: reply.message,
                })
            }
            Far::Json {
                server,
                base,
                forms,
            } => {
                let form = forms.get(asked.index).ok_or_else(|| {
                    let text = "the contract's code has no HTTP forms; generate it again";
                    Failure::before_dispatch(ErrorCode::Config, text)
                })?;
                let mut request = json_request(form, asked, base)?;
                for (name, value) in headers {
                    request.headers_mut().insert(name, value);
                }
                let answer = Box::pin(server.send(request, &self.clock, deadline)).await;
                let answer = answer.map_err(unanswered)?;
                let about = About::of_http(answer.headers());
                if !answer.status().is_success() {
                    let failure = of_problem(answer.status(), answer.body());
                    return Err(failure.replayed(about.is_replayed));
                }
                Ok(Replied {
                    about,
                    payload: form.reply(answer.body())?.into(),
                })
            }
        }
    }
}

fn grpc_request(
    uri: &Uri,
    asked: &Asked,
    headers: Vec<(&'static str, HeaderValue)>,
) -> GrpcRequest {
    let mut request = GrpcRequest::new(uri.clone(), asked.payload.len());
    request.message().extend_from_slice(&asked.payload);
    for (name, value) in headers {
        request.header(name, value);
    }
    request
}

async fn channel(link: &Link, deadline: &Deadline) -> Result<Channel, Failure> {
    let wait = deadline.remaining().min(CONNECT_TIMEOUT_MAX);
    let channel = link.channel(wait).await;
    channel.map_err(|error| Failure::before_dispatch(ErrorCode::Connection, error.to_string()))
}

/// What a call says besides its message.
fn headers(
    asked: &Asked,
    deadline: &Deadline,
    outer: Option<&CallContext>,
) -> Result<Vec<(&'static str, HeaderValue)>, Failure> {
    let mut all = Vec::with_capacity(4);
    let left = grpc_timeout(deadline.remaining().max(Duration::from_millis(1)));
    all.extend(HeaderValue::try_from(left).map(|left| (GRPC_TIMEOUT, left)));
    let options = &asked.options;
    for (name, text) in [
        (IDEMPOTENCY_KEY, &options.idempotency_key),
        (REQUEST_ID, &options.request_id),
    ] {
        let Some(text) = text else { continue };
        let value = HeaderValue::try_from(&**text).map_err(|_| {
            let text = format!(
                "{text:?} cannot be sent as the header {name}: it may hold visible ASCII characters and spaces only"
            );
            Failure::before_dispatch(ErrorCode::Validation, text)
        })?;
        all.push((name, value));
    }
    let parent = outer.and_then(|it| it.trace.traceparent(it.flags));
    let parent = parent.and_then(|it| HeaderValue::from_bytes(&it.encode()).ok());
    all.extend(parent.map(|parent| (TRACEPARENT, parent)));
    Ok(all)
}

/// A streamed answer.
struct Reading(Messages);

impl Stream for Reading {
    type Item = Result<Bytes, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.0.poll_next(cx));
        Poll::Ready(next.map(|it| it.map_err(|status| failed(&status))))
    }
}

/// What a status means: a handler's error when it gives a reason.
fn failed(status: &Status) -> Failure {
    let failure = Failure::of_status(status);
    match reason(status.details()) {
        Some(code) if failure.dispatch == Dispatch::Perhaps => {
            Failure::handler(code, status.message().to_owned())
        }
        _ => failure,
    }
}
