//! `servicebridge.v1.Invoke` on the wire.

use std::time::Duration;

use contract::grpc::v1;
use contract::grpc::v1::invoke_server::Invoke;
use contract::headers::{GRPC_TIMEOUT, X_SB_TRACE};
use tokio_stream::Empty;
use tonic::{Request, Response, Status};

use super::engine::{DEADLINE_DEFAULT, DEADLINE_MAX, Forward, Proxy, not_dispatched};
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
            Some(text) => timeout(text)
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

/// Reads a gRPC timeout: up to eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grpc_timeout_is_digits_and_a_unit() {
        assert_eq!(timeout("4S"), Some(Duration::from_secs(4)));
        assert_eq!(timeout("500m"), Some(Duration::from_millis(500)));
        for bad in ["", "S", "1", "-1S", "123456789S", "1x", "1é"] {
            assert_eq!(timeout(bad), None, "{bad}");
        }
    }
}
