//! One logical call: as many attempts as it may take, within one deadline.
//!
//! Another attempt follows only a failure that provably happened before any handler ran. It goes
//! to another instance at once; when all were tried, through the runtime (`Auto`) at once; and
//! only then after a pause, because only then waiting can help.

use std::time::Duration;

use bytes::Bytes;
use contract::error_code::ErrorCode;
use contract::grpc::v1::invoke_client::InvokeClient;
use contract::grpc::v1::{CallResponse, InvokeRequest};
use contract::headers::X_SB_TRACE;
use contract::ids::{InstanceId, ServiceId};
use contract::transport::Channel;
use prost::Message as _;
use tonic::metadata::AsciiMetadataValue;

use super::balance::pick;
use super::outcome::{Dispatch, Failure};
use super::wire::{CallParts, trace_header};
use crate::link::{CONNECT_TIMEOUT_MAX, InstanceLink};
use crate::options::{Retry, Transport};
use crate::registry::{Dependency, Slot};
use crate::session::Session;
use crate::telemetry::Served;
use bridge_tower::Deadline;

/// One logical call under way.
pub(super) struct Attempts<'c> {
    pub(super) session: &'c Session,
    pub(super) slot: usize,
    pub(super) dependency: &'c Dependency,
    pub(super) transport: Transport,
    pub(super) retry: Retry,
    pub(super) parts: CallParts,
    pub(super) deadline: Deadline,
    /// Filled in as the call goes, so that it is known even when the deadline cuts it off.
    pub(super) served: Served,
}

/// Where the next attempt goes.
enum Next {
    Another,
    Proxy,
    AfterPause,
}

impl Attempts<'_> {
    /// Makes attempts until one answers or no further one may help.
    pub(super) async fn run(&mut self) -> Result<Bytes, Failure> {
        let mut tried: Vec<InstanceId> = Vec::new();
        let mut via_proxy = self.transport == Transport::Proxy;
        let (mut attempt, mut pauses) = (0, 0);
        loop {
            attempt += 1;
            self.served.attempt = attempt;
            let failure = match self.attempt(via_proxy, &mut tried).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            if failure.dispatch == Dispatch::Perhaps || attempt >= self.retry.attempts {
                return Err(failure);
            }
            match self.next(via_proxy, &tried, attempt) {
                Next::Another => {}
                Next::Proxy => via_proxy = true,
                Next::AfterPause => {
                    if !via_proxy {
                        tried.clear();
                    }
                    let pause = self.retry.pause(pauses, fastrand::f64());
                    pauses += 1;
                    if self.deadline.remaining() <= pause {
                        return Err(failure);
                    }
                    self.session.clock.sleep(pause).await;
                }
            }
        }
    }

    fn next(&self, via_proxy: bool, tried: &[InstanceId], attempt: u32) -> Next {
        if via_proxy || tried.is_empty() {
            return Next::AfterPause;
        }
        // The last attempt of `Auto` belongs to the proxy: it may reach what we cannot.
        let is_last = attempt + 1 >= self.retry.attempts;
        let routes = self.session.registry.routes();
        let candidates = &routes.slot(self.slot).candidates;
        let others = pick(candidates, tried, &self.session.clock).is_some();
        match self.transport {
            Transport::Auto if is_last || !others => Next::Proxy,
            _ if others => Next::Another,
            _ => Next::AfterPause,
        }
    }

    async fn attempt(
        &mut self,
        via_proxy: bool,
        tried: &mut Vec<InstanceId>,
    ) -> Result<Bytes, Failure> {
        let routes = self.session.registry.routes();
        let slot = routes.slot(self.slot);
        if slot.is_denied {
            let text = "an egress rule of this service does not allow the call";
            return Err(Failure::final_(ErrorCode::AccessDenied, text));
        }
        // The proxy picks for itself; here the candidate only names the target service.
        let excluded = if via_proxy { &[][..] } else { &tried[..] };
        let Some(candidate) = pick(&slot.candidates, excluded, &self.session.clock) else {
            return Err(nobody(self.dependency, slot));
        };
        if via_proxy {
            let target = candidate.instance.id.service;
            drop(routes);
            self.served = Served {
                via_proxy: true,
                instance: None,
                service: Some(target),
                ..self.served
            };
            return Box::pin(self.through_runtime(target, tried)).await;
        }
        let instance = candidate.instance.clone();
        drop(routes);
        let id = &instance.id;
        self.served.instance = Some(id.instance);
        self.served.service = Some(id.service);
        let result = self.direct(&instance).await;
        if let Err(failure) = &result
            && failure.dispatch == Dispatch::Never
        {
            instance.shun();
            tried.push(id.instance);
        }
        result
    }

    async fn direct(&self, instance: &InstanceLink) -> Result<Bytes, Failure> {
        let channel = match instance.link.ready() {
            Some(channel) => channel,
            // Boxed, as everything rare here: the common call should be small.
            None => Box::pin(self.connect(instance)).await?,
        };
        let _in_flight = instance.enter();
        let mut request = self.parts.request();
        request.timeout(self.left());
        let reply = channel.unary(request).await;
        let reply = reply.map_err(|status| Failure::of_status(&status))?;
        let reply = CallResponse::decode(reply).map_err(|error| {
            let text = format!("cannot read the reply: {error}");
            Failure::final_(ErrorCode::Internal, text)
        })?;
        if reply.error_code.is_empty() {
            Ok(reply.payload)
        } else {
            Err(Failure::handler(reply.error_code, reply.error_message))
        }
    }

    /// Waits for the connection no longer than leaves time for another way.
    async fn connect(&self, instance: &InstanceLink) -> Result<Channel, Failure> {
        let wait = (self.deadline.remaining() / 2).min(CONNECT_TIMEOUT_MAX);
        let channel = instance.link.channel(wait).await;
        channel.map_err(|error| Failure::before_dispatch(ErrorCode::Connection, error.to_string()))
    }

    async fn through_runtime(
        &self,
        target: ServiceId,
        tried: &[InstanceId],
    ) -> Result<Bytes, Failure> {
        let wait = (self.deadline.remaining() / 2).min(CONNECT_TIMEOUT_MAX);
        let channel = self.session.runtime.channel(wait).await.map_err(|error| {
            let text = format!("no way through the runtime: {error}");
            Failure::before_dispatch(ErrorCode::Connection, text)
        })?;
        let mut request = tonic::Request::new(InvokeRequest {
            target_service_id: target.to_string(),
            method: self.parts.method.to_owned(),
            payload: self.parts.payload.clone(),
            request_id: self.parts.request.to_string(),
            idempotency_key: self.parts.key.as_deref().unwrap_or_default().to_owned(),
            x_sb_trace: self.parts.trace.to_string(),
            contract_hash: self.dependency.method.contract_hash.as_bytes().to_vec(),
            exclude_instance_ids: tried.iter().map(ToString::to_string).collect(),
        });
        request.set_timeout(self.left());
        if let Some(value) = trace_header(self.parts.trace) {
            let value = AsciiMetadataValue::try_from(value.as_bytes()).ok();
            value.and_then(|value| request.metadata_mut().insert(X_SB_TRACE, value));
        }
        let origin = channel.origin();
        let answer = InvokeClient::with_origin(channel, origin)
            .unary(request)
            .await;
        let reply = answer
            .map_err(|status| Failure::of_status(&status))?
            .into_inner();
        if reply.error_code.is_empty() {
            Ok(reply.payload)
        } else {
            Err(Failure::handler(reply.error_code, reply.error_message))
        }
    }

    /// What the callee is told about the deadline; a call that is made has some time.
    fn left(&self) -> Duration {
        self.deadline.remaining().max(Duration::from_millis(1))
    }
}

/// Nobody can take the call; which of three reasons tells where to look.
fn nobody(dependency: &Dependency, slot: &Slot) -> Failure {
    let Dependency { service, method } = dependency;
    let text = if slot.serving == 0 {
        format!(
            "no instance of `{service}` serves `{}` now; start the service",
            method.name
        )
    } else if slot.matching == 0 {
        format!(
            "`{service}` serves `{}` with another contract ({} instances); deploy both sides with the same `.proto`",
            method.name, slot.serving
        )
    } else {
        format!(
            "no instance of `{service}` takes calls now ({} are stopping or revoked)",
            slot.matching
        )
    };
    Failure::before_dispatch(ErrorCode::NoLiveInstance, text)
}
