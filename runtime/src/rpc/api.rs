//! `servicebridge.v1.Invoke` on the wire.

use contract::grpc::v1;
use contract::grpc::v1::invoke_server::Invoke;
use contract::headers::{GRPC_TIMEOUT, X_SB_TRACE, parse_grpc_timeout};
use contract::transport::not_dispatched;
use tokio_stream::Empty;
use tonic::{Request, Response, Status};

use super::engine::{DEADLINE_DEFAULT, DEADLINE_MAX, Forward, Proxy};
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
        let (caller, _) = caller(&request)?;
        let asked = request
            .metadata()
            .get(GRPC_TIMEOUT)
            .and_then(|it| it.to_str().ok());
        let left = match asked {
            Some(text) => parse_grpc_timeout(text)
                .ok_or_else(|| Status::invalid_argument("the grpc-timeout header is malformed"))?,
            None => DEADLINE_DEFAULT,
        };
        let trace = request
            .metadata()
            .get(X_SB_TRACE)
            .and_then(|it| it.to_str().ok());
        let trace = trace.map(str::to_owned);
        let mut request = request.into_inner();
        if request.x_sb_trace.is_empty() {
            request.x_sb_trace = trace.unwrap_or_default();
        }
        let deadline = self.0.clock().monotonic() + left.min(DEADLINE_MAX);
        let answer = self
            .0
            .unary(Forward {
                caller,
                request,
                deadline,
            })
            .await?;
        Ok(Response::new(answer))
    }

    type StreamStream = Empty<Result<v1::InvokeChunk, Status>>;

    async fn stream(
        &self,
        request: Request<v1::InvokeRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        caller(&request)?;
        Err(not_dispatched(Status::unimplemented(
            "this runtime version forwards unary calls only; call the instance directly",
        )))
    }
}
