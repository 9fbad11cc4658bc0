//! HTTP to an application of this process, without a socket.
//!
//! A request and its answer are what they would be over a connection: encoded, with headers, and
//! bounded in size. A panic is the application's own answer to give, as an observed one does.

use std::fmt;

use axum::body::Body;
use bridge_tower::Observed;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::web::{WebError, whole};

/// An application of this process.
#[derive(Clone)]
pub(super) struct Application(TowerToHyperService<Observed>);

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an application of this process")
    }
}

impl Application {
    pub(super) fn new(app: Observed) -> Self {
        Self(TowerToHyperService::new(app))
    }

    /// Sends a request and reads all of its answer. Dropping the future drops the handler.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, WebError> {
        let answer = match self.0.call(request.map(Body::new)).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        whole(answer, |why| {
            WebError::Broken(format!("the application of this process broke off: {why}"))
        })
        .await
    }
}
