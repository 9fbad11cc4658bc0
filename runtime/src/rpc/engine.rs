//! Forwarding one call: who asks, who can answer, and what came back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use contract::grpc::v1;
use contract::grpc::v1::call_client::CallClient;
use contract::headers::X_SB_TRACE;
use contract::ids::{InstanceId, ServiceId};
use contract::tls::Leaf;
use contract::transport::{Channel, ChannelError, is_not_dispatched, not_dispatched};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tonic::metadata::MetadataValue;
use tonic::{Request, Status};

use super::chunks::{Chunks, Flow, Source};
use super::peers::Peers;
use crate::outcomes::Outcomes;
use crate::registry::{Registry, Target};
use crate::settings::{Settings, keys};

/// Deadline of a call that names none.
pub(super) const DEADLINE_DEFAULT: Duration = Duration::from_secs(30);
/// Longest deadline a caller may ask for.
pub(super) const DEADLINE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Calls under way through the proxy; one more is refused as overload.
pub(super) const CALLS_MAX: usize = 4_096;
/// Streamed calls under way beside those: they last, and may not take the room of short calls.
pub(super) const STREAMS_MAX: usize = 1_024;

/// The proxy. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Proxy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    registry: Registry,
    outcomes: Outcomes,
    settings: Settings,
    peers: Peers,
    slots: Semaphore,
    stream_slots: Arc<Semaphore>,
    /// Calls under way by instance, for choosing the less busy of two.
    busy: Mutex<HashMap<InstanceId, usize>>,
}

/// A call to forward, as the caller described it and the certificate proved it.
#[derive(Debug)]
pub(super) struct Forward {
    pub(super) caller: ServiceId,
    pub(super) request: v1::InvokeRequest,
    pub(super) deadline: Monotonic,
}

impl Proxy {
    /// A proxy that dials with the runtime's certificate, given as its authority and its leaf.
    pub fn new(
        clock: &Clock,
        registry: &Registry,
        outcomes: &Outcomes,
        settings: &Settings,
        (ca_der, leaf): (&[u8], &Leaf),
    ) -> Self {
        Self(Arc::new(Inner {
            clock: clock.clone(),
            registry: registry.clone(),
            outcomes: outcomes.clone(),
            settings: settings.clone(),
            peers: Peers::new(clock, ca_der, leaf),
            slots: Semaphore::new(CALLS_MAX),
            stream_slots: Arc::new(Semaphore::new(STREAMS_MAX)),
            busy: Mutex::default(),
        }))
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What became of calls with an idempotency key.
    pub(super) fn outcomes(&self) -> &Outcomes {
        &self.0.outcomes
    }

    /// How long the answer of such a call is kept.
    pub(super) fn keep(&self) -> Duration {
        self.0.settings.get(keys::RPC_IDEMPOTENCY_TTL)
    }

    /// Forwards a unary call.
    pub(super) async fn unary(&self, forward: Forward) -> Result<v1::InvokeResponse, Status> {
        let _slot = self.0.slots.try_acquire().map_err(|_| overloaded())?;
        let (service, targets) = self.targets(&forward)?;
        if targets.iter().any(|target| target.streaming) {
            return Err(Status::failed_precondition(format!(
                "method `{}` streams its answer; call it with Invoke.Stream",
                forward.request.method
            )));
        }
        let mut left_out = forward.request.exclude_instance_ids.clone();
        let mut last = None;
        while let Some(target) = self.pick(&targets, &left_out) {
            match self.try_target(service, &target, &forward).await {
                Err(status) if is_not_dispatched(&status) => {
                    left_out.push(target.instance.to_string());
                    let tried_all = targets
                        .iter()
                        .all(|it| left_out.contains(&it.instance.to_string()));
                    last = Some(status);
                    if tried_all {
                        break;
                    }
                }
                answered => return answered,
            }
        }
        Err(last.unwrap_or_else(|| nobody(service, &forward)))
    }

    /// Forwards a streamed call: one instance is picked, once, and what it says is the answer.
    pub(super) async fn stream(&self, forward: Forward) -> Result<Chunks, Status> {
        let slot = self.0.stream_slots.clone().try_acquire_owned();
        let slot = slot.map_err(|_| overloaded())?;
        let (service, targets) = self.targets(&forward)?;
        if targets.iter().any(|target| !target.streaming) {
            return Err(Status::failed_precondition(format!(
                "method `{}` answers once; call it with Invoke.Unary",
                forward.request.method
            )));
        }
        let left_out = &forward.request.exclude_instance_ids;
        let target = self.pick(&targets, left_out);
        let target = target.ok_or_else(|| nobody(service, &forward))?;
        let (channel, left) = self.reach(service, &target, &forward).await?;
        let busy = Busy::begin(self, target.instance);
        let request = call_request(&forward, left);
        let mut client = CallClient::with_origin(channel.clone(), channel.origin());
        let answer = self.0.clock.timeout(left, client.stream(request)).await;
        let from = answer.map_err(|_| late())?;
        let from = from.map_err(|status| self.forwarded(&target, status))?;
        let (registry, instance) = (self.0.registry.clone(), target.instance);
        Ok(Chunks::forward(Source {
            flow: Flow {
                from: from.into_inner(),
                clock: self.0.clock.clone(),
                deadline: forward.deadline,
                on_break: Box::new(move || registry.mark_unhealthy(instance)),
            },
            held: Box::new((busy, slot)),
        }))
    }

    /// The service that is called, and its instances that could answer.
    fn targets(&self, forward: &Forward) -> Result<(ServiceId, Vec<Target>), Status> {
        let (service, hash) = self.admit(forward)?;
        let registry = &self.0.registry;
        let targets = registry.targets(service, &forward.request.method, &hash);
        Ok((service, targets))
    }

    /// Who is called, with which contract; refuses those who are revoked.
    pub(super) fn admit(&self, forward: &Forward) -> Result<(ServiceId, String), Status> {
        let registry = &self.0.registry;
        if !registry.is_active(forward.caller) {
            return Err(Status::permission_denied("the calling service is revoked"));
        }
        let service: ServiceId = forward
            .request
            .target_service_id
            .parse()
            .map_err(|error| Status::invalid_argument(format!("target_service_id: {error}")))?;
        if registry.service_name(service).is_some() && !registry.is_active(service) {
            return Err(Status::permission_denied("the called service is revoked"));
        }
        let hash = String::from_utf8(forward.request.contract_hash.clone())
            .map_err(|_| Status::invalid_argument("contract_hash is not text"))?;
        Ok((service, hash))
    }

    /// The less busy of two random candidates; instances the caller or we failed to reach only
    /// when nothing else is left.
    fn pick(&self, targets: &[Target], left_out: &[String]) -> Option<Target> {
        let fresh = |it: &&Target| !left_out.contains(&it.instance.to_string());
        let healthy: Vec<_> = targets
            .iter()
            .filter(fresh)
            .filter(|it| !it.unhealthy)
            .collect();
        let rest: Vec<_> = targets.iter().filter(fresh).collect();
        let all: Vec<_> = targets.iter().collect();
        let from = [healthy, rest, all]
            .into_iter()
            .find(|some| !some.is_empty())?;
        let (one, two) = (fastrand::usize(..from.len()), fastrand::usize(..from.len()));
        let busy = self.0.busy.lock();
        let load = |it: &Target| busy.get(&it.instance).copied().unwrap_or(0);
        let chosen = if load(from[two]) < load(from[one]) {
            from[two]
        } else {
            from[one]
        };
        Some(chosen.clone())
    }

    async fn try_target(
        &self,
        service: ServiceId,
        target: &Target,
        forward: &Forward,
    ) -> Result<v1::InvokeResponse, Status> {
        let (channel, left) = self.reach(service, target, forward).await?;
        let _busy = Busy::begin(self, target.instance);
        let request = call_request(forward, left);
        let mut client = CallClient::with_origin(channel.clone(), channel.origin());
        let answer = self.0.clock.timeout(left, client.unary(request)).await;
        match answer {
            Err(_) => Err(late()),
            Ok(Ok(response)) => {
                let response = response.into_inner();
                Ok(v1::InvokeResponse {
                    payload: response.payload,
                    error_code: response.error_code,
                    error_message: response.error_message,
                })
            }
            Ok(Err(status)) => Err(self.forwarded(target, status)),
        }
    }

    /// A connection to `target`, and the time that is left for using it.
    async fn reach(
        &self,
        service: ServiceId,
        target: &Target,
        forward: &Forward,
    ) -> Result<(Channel, Duration), Status> {
        let left = || forward.deadline.since(self.0.clock.monotonic());
        let before = left();
        if before.is_zero() {
            let text = "the deadline passed before the call was sent";
            return Err(Status::deadline_exceeded(text));
        }
        let channel = self.0.peers.channel(service, target, before).await;
        let channel = channel.map_err(|error| {
            self.0.registry.mark_unhealthy(target.instance);
            not_dispatched(Status::unavailable(error.to_string()))
        })?;
        Ok((channel, left().max(Duration::from_millis(1))))
    }

    /// A callee's refusal as the caller gets it: same code and message, and the trailer only
    /// where it is proven.
    fn forwarded(&self, target: &Target, status: Status) -> Status {
        match ChannelError::behind(&status) {
            Some(broken) if broken.not_sent() => {
                self.0.registry.mark_unhealthy(target.instance);
                not_dispatched(Status::unavailable(broken.to_string()))
            }
            Some(broken) => {
                self.0.registry.mark_unhealthy(target.instance);
                Status::unavailable(broken.to_string())
            }
            None if is_not_dispatched(&status) => {
                not_dispatched(Status::new(status.code(), status.message()))
            }
            None => Status::new(status.code(), status.message()),
        }
    }
}

fn overloaded() -> Status {
    not_dispatched(Status::resource_exhausted(
        "the runtime forwards too many calls right now",
    ))
}

fn late() -> Status {
    Status::deadline_exceeded("the deadline passed before the answer came")
}

fn nobody(service: ServiceId, forward: &Forward) -> Status {
    let method = &forward.request.method;
    not_dispatched(Status::unavailable(format!(
        "no instance of service {service} serves method `{method}` with this contract hash"
    )))
}

fn call_request(forward: &Forward, left: Duration) -> Request<v1::CallRequest> {
    let asked = &forward.request;
    let mut request = Request::new(v1::CallRequest {
        method: asked.method.clone(),
        payload: asked.payload.clone(),
        caller_service: forward.caller.to_string(),
        request_id: asked.request_id.clone(),
        idempotency_key: asked.idempotency_key.clone(),
        x_sb_trace: asked.x_sb_trace.clone(),
    });
    request.set_timeout(left);
    if let Ok(trace) = asked.x_sb_trace.parse::<MetadataValue<_>>()
        && !asked.x_sb_trace.is_empty()
    {
        request.metadata_mut().insert(X_SB_TRACE, trace);
    }
    request
}

/// Counts one call under way.
struct Busy {
    proxy: Proxy,
    instance: InstanceId,
}

impl Busy {
    fn begin(proxy: &Proxy, instance: InstanceId) -> Self {
        *proxy.0.busy.lock().entry(instance).or_default() += 1;
        Self {
            proxy: proxy.clone(),
            instance,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut busy = self.proxy.0.busy.lock();
        if let Some(calls) = busy.get_mut(&self.instance) {
            *calls -= 1;
            if *calls == 0 {
                busy.remove(&self.instance);
            }
        }
    }
}
