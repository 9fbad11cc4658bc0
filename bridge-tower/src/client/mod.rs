//! Client side: requests that this process sends, as part of the trace they are sent for.
//!
//! ```text
//!  request ─▶ deadline passed? ──yes──▶ refused before dialling
//!                  │ no
//!                  ▼
//!  trace context, baggage and time left into its headers ─▶ inner client ─▶ head ─▶ body: one record
//! ```
//!
//! [`ClientLayer`] goes around any tower client of `http` requests; `Reqwest` does the same for
//! reqwest. Each request is a CLIENT span under the call the current task works for, counted by
//! peer, method and status, and measured to the last byte of its response body.
//!
//! It retries nothing and changes nothing of the answer. It refuses requests whose deadline has
//! passed, and gives up on answers that are not there by then.

mod target;
mod call;
mod body;
mod future;
#[cfg(feature = "reqwest")]
mod reqwest;

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::MeasuredBody;
pub use self::future::ResponseFuture;
#[cfg(feature = "reqwest")]
pub use self::reqwest::Reqwest;

use self::call::Caller;
use self::target::Target;
use crate::recorder::Recorder;

/// What a request asks for, by the name its service gives it, as `/users/{id}`. Put it into the
/// request's extensions: a path alone says nothing that could be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(pub Arc<str>);

impl Template {
    /// The template as text.
    pub fn new(template: impl Into<Arc<str>>) -> Self {
        Self(template.into())
    }
}

/// A request about to be sent, as the hook of [`ClientLayer::on_call`] hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing<'r> {
    /// Whom it goes to, as `host:port`; empty when the request does not say.
    pub peer: &'r str,
    /// Method.
    pub method: &'r Method,
    /// What it asks for, if its sender said: see [`Template`].
    pub template: Option<&'r str>,
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError<E> {
    /// Nobody waits for the answer any more. Nothing was sent.
    #[error("the deadline had passed before {peer} was called: give the call more time")]
    DeadlinePassed {
        /// Whom it would have gone to, as `host:port`.
        peer: Arc<str>,
    },
    /// The answer was not there when its deadline came. The peer may have done the work.
    #[error("{peer} did not answer before the deadline")]
    DeadlineExceeded {
        /// Whom it went to, as `host:port`.
        peer: Arc<str>,
    },
    /// The inner client's error.
    #[error("the request failed")]
    Call(#[source] E),
}

/// Makes [`Client`] services.
///
/// ```
/// use bridge_tower::Recorder;
/// use bridge_tower::client::{ClientLayer, Template};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // Any tower client of `http` requests.
/// let inner = service_fn(async |request: http::Request<String>| {
///     assert!(request.headers().contains_key("traceparent"));
///     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
/// });
/// let client = ClientLayer::new(&Recorder::new()).layer(inner);
/// let request = http::Request::get("http://users:8080/users/42")
///     .extension(Template::new("/users/{id}"))
///     .body(String::new())
///     .expect("a valid request");
/// let answer = client.oneshot(request).await;
/// assert!(answer.is_ok());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClientLayer {
    caller: Caller,
}

impl ClientLayer {
    /// Records into `recorder`.
    pub fn new(recorder: &Recorder) -> Self {
        Self {
            caller: Caller::new(recorder),
        }
    }

    /// Tells `hook` of every request about to be sent, on the sending task: it should be quick.
    #[must_use]
    pub fn on_call(mut self, hook: impl Fn(Outgoing<'_>) + Send + Sync + 'static) -> Self {
        self.caller.tell(hook);
        self
    }

    /// Writes no header of ours into requests: for peers outside of the system, who have no
    /// business with its baggage. Requests are recorded all the same.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        self.caller.keep_headers();
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = Client<S>;

    fn layer(&self, inner: S) -> Client<S> {
        Client {
            inner,
            caller: self.caller.clone(),
        }
    }
}

/// Sends requests through `S`, as part of the trace of the current task.
#[derive(Clone, Debug)]
pub struct Client<S> {
    inner: S,
    caller: Caller,
}

impl<S, Req, Res> Service<Request<Req>> for Client<S>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    Res: Body,
{
    type Response = Response<MeasuredBody<Res>>;
    type Error = ClientError<S::Error>;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(ClientError::Call)
    }

    fn call(&mut self, mut request: Request<Req>) -> Self::Future {
        let template = request.extensions().get::<Template>().cloned();
        let method = request.method().clone();
        let uri = request.uri().clone();
        let target = Target::of(&uri, request.headers());
        let out = Outgoing {
            peer: target.peer(),
            method: &method,
            template: template.as_ref().map(|it| &*it.0),
        };
        match self.caller.departs(out, &target, request.headers_mut()) {
            Ok(call) => ResponseFuture::sent(self.inner.call(request), call),
            Err(refused) => ResponseFuture::refused(refused),
        }
    }
}

#[cfg(test)]
mod tests;
