//! `servicebridge.v1.Invoke` on the wire.

use contract::grpc::v1;
use contract::grpc::v1::invoke_server::Invoke;
use contract::headers::{GRPC_TIMEOUT, TRACEPARENT, X_SB_TRACE, parse_grpc_timeout};
use contract::w3c::TraceParent;
use tonic::{Request, Response, Status};

use super::chunks::Chunks;
use super::engine::{DEADLINE_DEFAULT, DEADLINE_MAX, Proxy};
use super::forward::Forward;
use super::once;
use crate::identity::caller;

/// Serves [`Proxy`] over gRPC.
#[derive(Clone, Debug)]
pub struct InvokeApi(pub Proxy);

#[tonic::async_trait]
impl Invoke for InvokeApi {
    async fn unary(
        &self,
        request: Request<v1::InvokeRequest>,
    ) -> Result<Response<v1::InvokeResponse>, Status> {
        let forward = self.forward(request)?;
        once::unary(&self.0, forward).await.map(Response::from)
    }

    type StreamStream = Chunks;

    async fn stream(
        &self,
        request: Request<v1::InvokeRequest>,
    ) -> Result<Response<Chunks>, Status> {
        let forward = self.forward(request)?;
        self.0.stream(forward).await.map(Response::new)
    }
}

impl InvokeApi {
    /// The call as its metadata, its message and the caller's certificate describe it.
    fn forward(&self, request: Request<v1::InvokeRequest>) -> Result<Forward, Status> {
        let (caller, _) = caller(&request)?;
        let header = |name| request.metadata().get(name).and_then(|it| it.to_str().ok());
        let left = match header(GRPC_TIMEOUT) {
            Some(text) => parse_grpc_timeout(text)
                .ok_or_else(|| Status::invalid_argument("the grpc-timeout header is malformed"))?,
            None => DEADLINE_DEFAULT,
        };
        let trace = header(X_SB_TRACE).map(str::to_owned);
        let traceparent = header(TRACEPARENT).and_then(|it| TraceParent::parse(it.as_bytes()));
        let mut request = request.into_inner();
        if request.x_sb_trace.is_empty() {
            request.x_sb_trace = trace.unwrap_or_default();
        }
        let deadline = self.0.clock().monotonic() + left.min(DEADLINE_MAX);
        Ok(Forward {
            caller,
            request,
            traceparent,
            deadline,
        })
    }
}
