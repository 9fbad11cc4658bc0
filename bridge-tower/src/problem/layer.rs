//! The factory of [`Problems`] and the service itself.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Method, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::accept::takes_problems;
use super::body::ProblemBody;
use super::future::{ResponseFuture, Wanted};

/// Put into the extensions of a response, it keeps [`ProblemLayer`] away from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untouched;

/// Makes [`Problems`] services: errors in plain text, or without any, become problem details.
///
/// What a client hears of `POST /orders` with a body that is no JSON, without and with the layer:
///
/// ```text
/// 400 text/plain                  Failed to parse the request body as JSON: …
/// 400 application/problem+json    {"detail":"Failed to parse …","status":400,"title":"Bad Request",
///                                  "trace":"0af7651916cd43dd8448eb211c80319c","type":"about:blank"}
/// ```
#[derive(Clone, Debug, Default)]
pub struct ProblemLayer {
    except: Arc<[Box<str>]>,
}

impl ProblemLayer {
    /// For all paths.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps away from this path and everything below it, such as `/files`.
    #[must_use]
    pub fn except(mut self, path: &str) -> Self {
        let path = path.trim_end_matches('/').into();
        let all = self.except.iter().cloned().chain([path]);
        self.except = all.collect();
        self
    }
}

impl<S> Layer<S> for ProblemLayer {
    type Service = Problems<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Problems {
            inner,
            layer: self.clone(),
        }
    }
}

/// Gives the errors of `S` that say nothing of their own the shape of problem details.
#[derive(Clone, Debug)]
pub struct Problems<S> {
    inner: S,
    layer: ProblemLayer,
}

impl ProblemLayer {
    /// Whether the answer to this request may become a problem. `accept` is its first header of
    /// this name.
    #[inline]
    pub(crate) fn wants<B>(&self, request: &Request<B>, accept: Option<&HeaderValue>) -> Wanted {
        let path = request.uri().path();
        let is_below = |top: &str| {
            let rest = path.strip_prefix(top);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.except.iter().any(|top| is_below(top)) || !takes_problems(request.headers(), accept)
        {
            Wanted::No
        } else if *request.method() == Method::HEAD {
            Wanted::HeadOnly
        } else {
            Wanted::Yes
        }
    }
}

impl<S, Req, Res> Service<Request<Req>> for Problems<S>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    Res: Body<Data = Bytes>,
{
    type Response = Response<ProblemBody<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, Res>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        let wanted = self.layer.wants(&request, request.headers().get(ACCEPT));
        ResponseFuture::new(self.inner.call(request), wanted)
    }
}
