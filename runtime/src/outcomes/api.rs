//! `bridge.v1.Outcomes` on the wire.
//!
//! Every work is one of the service that the certificate names: no message can name another.
//! A refusal here means that nothing was claimed; it is marked so that an SDK may say so too.

use std::time::Duration;

use contract::grpc::bridge as wire;
use contract::grpc::bridge::begin_response::Result as Wire;
use contract::grpc::bridge::outcomes_server::Outcomes as Service;
use contract::ids::ServiceId;
use contract::transport::not_dispatched;
use tonic::{Request, Response, Status};

use super::engine::{Asked, Begun, Claim, Error, Outcomes, Settled};
use super::model::{Digest, KEEP, LEASE, WAIT_MAX, Work};
use crate::identity::caller;
use crate::registry::Registry;

/// What the works of services are called, so that they never meet the proxy's.
const KIND: &str = "service";

/// Serves [`Outcomes`] over gRPC.
#[derive(Clone, Debug)]
pub struct OutcomesApi {
    /// What is served.
    pub outcomes: Outcomes,
    /// Knows which services are revoked.
    pub registry: Registry,
}

#[tonic::async_trait]
impl Service for OutcomesApi {
    async fn begin(
        &self,
        request: Request<wire::BeginRequest>,
    ) -> Result<Response<wire::BeginResponse>, Status> {
        let service = self.service(&request)?;
        let request = request.into_inner();
        let asked = Asked {
            owner: service,
            work: digest_of(service, request.work.as_ref())?,
            request: Digest::try_from(request.request_digest.as_slice())
                .map_err(|_| Status::invalid_argument("request_digest takes 32 bytes"))?,
            lease: span("lease_ms", request.lease_ms, LEASE)?,
            wait: span("wait_ms", request.wait_ms, (Duration::ZERO, WAIT_MAX))?,
        };
        let result = match self.outcomes.begin(asked).await? {
            Begun::Run(Claim { epoch, .. }) => Wire::Run(wire::Claim {
                epoch: u64::try_from(epoch).unwrap_or(0),
            }),
            Begun::Replay(body) => Wire::Replay(wire::Outcome { body }),
            Begun::Conflict => Wire::Conflict(wire::Conflict {}),
            Begun::Busy => Wire::Busy(wire::Busy {}),
        };
        let result = Some(result);
        Ok(Response::new(wire::BeginResponse { result }))
    }

    async fn renew(
        &self,
        request: Request<wire::RenewRequest>,
    ) -> Result<Response<wire::RenewResponse>, Status> {
        let service = self.service(&request)?;
        let request = request.into_inner();
        let claim = claim_of(service, request.work.as_ref(), request.epoch)?;
        let lease = span("lease_ms", request.lease_ms, LEASE)?;
        let held = self.outcomes.renew(claim, lease).await?;
        Ok(Response::new(wire::RenewResponse { held }))
    }

    async fn settle(
        &self,
        request: Request<wire::SettleRequest>,
    ) -> Result<Response<wire::SettleResponse>, Status> {
        let service = self.service(&request)?;
        let request = request.into_inner();
        let claim = claim_of(service, request.work.as_ref(), request.epoch)?;
        let keep = span("keep_ms", request.keep_ms, KEEP)?;
        let body = request.outcome.and_then(|it| it.body);
        let has_body = body.is_some();
        let settled = self.outcomes.settle(claim, body, keep).await?;
        Ok(Response::new(wire::SettleResponse {
            held: settled != Settled::Lost,
            body_kept: has_body && settled == Settled::Kept,
        }))
    }

    async fn release(
        &self,
        request: Request<wire::ReleaseRequest>,
    ) -> Result<Response<wire::ReleaseResponse>, Status> {
        let service = self.service(&request)?;
        let request = request.into_inner();
        let claim = claim_of(service, request.work.as_ref(), request.epoch)?;
        self.outcomes.release(claim).await?;
        Ok(Response::new(wire::ReleaseResponse {}))
    }
}

impl OutcomesApi {
    fn service<T>(&self, request: &Request<T>) -> Result<ServiceId, Status> {
        let (service, _) = caller(request)?;
        if self.registry.is_active(service) {
            Ok(service)
        } else {
            Err(Status::permission_denied("the calling service is revoked"))
        }
    }
}

fn digest_of(service: ServiceId, work: Option<&wire::Work>) -> Result<Digest, Status> {
    let work = work.ok_or_else(|| Status::invalid_argument("work is missing"))?;
    let owner = service.to_string();
    let work = Work {
        kind: KIND,
        owner: &owner,
        operation: &work.operation,
        scope: &work.scope,
        key: &work.key,
    };
    match work.fault() {
        Some(fault) => Err(Status::invalid_argument(fault)),
        None => Ok(work.digest()),
    }
}

fn claim_of(service: ServiceId, work: Option<&wire::Work>, epoch: u64) -> Result<Claim, Status> {
    let work = digest_of(service, work)?;
    let epoch = i64::try_from(epoch)
        .map_err(|_| Status::invalid_argument("epoch is not one that a claim was given"))?;
    Ok(Claim {
        owner: service,
        work,
        epoch,
    })
}

fn span(name: &str, ms: u64, (min, max): (Duration, Duration)) -> Result<Duration, Status> {
    let asked = Duration::from_millis(ms);
    if (min..=max).contains(&asked) {
        return Ok(asked);
    }
    let (min, max) = (min.as_millis(), max.as_millis());
    let text = format!("{name} takes {min} to {max}, not {ms}");
    Err(Status::invalid_argument(text))
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        not_dispatched(match &error {
            Error::Full(_) | Error::TooManyWait => Self::resource_exhausted(error.to_string()),
            Error::Store(cause) => {
                let cause: &dyn std::error::Error = cause;
                tracing::error!(error = cause, "an outcome could not be read or stored");
                Self::unavailable(error.to_string())
            }
        })
    }
}
