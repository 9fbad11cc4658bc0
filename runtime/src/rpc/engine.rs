//! Forwarding one call: who asks, who can answer, and what came back.

use std::sync::Arc;
use std::time::Duration;

use contract::clock::Clock;
use contract::grpc::v1::call_client::CallClient;
use contract::ids::ServiceId;
use contract::tls::Leaf;
use contract::transport::{Channel, ChannelError, is_not_dispatched, not_dispatched};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Code, Status};

use super::chunks::{Chunks, Flow, Source};
use super::forward::{Answered, Forward, nobody, overloaded, too_late, unanswered};
use super::load::Load;
use super::peers::{Lane, Peers, Unreached};
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
    slots: Arc<Semaphore>,
    stream_slots: Arc<Semaphore>,
    load: Load,
}

/// One try: whom it is meant for.
#[derive(Clone, Copy, Debug)]
struct Aim<'t> {
    service: ServiceId,
    target: &'t Target,
    lane: Lane,
    /// Nobody else is left to be tried, so all the time that is left may go into reaching it.
    is_last: bool,
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
            peers: Peers::new(clock, registry, ca_der, leaf),
            slots: Arc::new(Semaphore::new(CALLS_MAX)),
            stream_slots: Arc::new(Semaphore::new(STREAMS_MAX)),
            load: Load::default(),
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

    /// A place among the calls, or among the streams, that are under way.
    pub(super) fn enter(&self, lane: Lane) -> Result<OwnedSemaphorePermit, Status> {
        let slots = match lane {
            Lane::Calls => &self.0.slots,
            Lane::Streams => &self.0.stream_slots,
        };
        slots.clone().try_acquire_owned().map_err(|_| overloaded())
    }

    /// Forwards a unary call that has its place.
    pub(super) async fn unary(&self, forward: &Forward) -> Result<Answered, Status> {
        let (service, targets) = self.targets(forward)?;
        if targets.iter().any(|target| target.streaming) {
            return Err(Status::failed_precondition(format!(
                "method `{}` streams its answer; call it with Invoke.Stream",
                forward.request.method
            )));
        }
        let mut left_out = forward.request.exclude_instance_ids.clone();
        loop {
            let target = self.0.load.pick(&targets, &left_out);
            let target = target.ok_or_else(|| nobody(service, forward))?;
            left_out.push(target.instance.to_string());
            let mut all = targets.iter();
            let aim = Aim {
                service,
                target,
                lane: Lane::Calls,
                is_last: all.all(|it| left_out.contains(&it.instance.to_string())),
            };
            match self.attempt(aim, forward).await {
                Err(status) if may_go_elsewhere(&status) && !aim.is_last => {}
                answered => return answered,
            }
        }
    }

    /// Forwards a streamed call: one instance is picked, once, and what it says is the answer.
    pub(super) async fn stream(&self, forward: Forward) -> Result<Chunks, Status> {
        let slot = self.enter(Lane::Streams)?;
        let (service, targets) = self.targets(&forward)?;
        if targets.iter().any(|target| !target.streaming) {
            return Err(Status::failed_precondition(format!(
                "method `{}` answers once; call it with Invoke.Unary",
                forward.request.method
            )));
        }
        let left_out = &forward.request.exclude_instance_ids;
        let target = self.0.load.pick(&targets, left_out);
        let target = target.ok_or_else(|| nobody(service, &forward))?;
        let aim = Aim {
            service,
            target,
            lane: Lane::Streams,
            is_last: true,
        };
        let (channel, left) = self.reach(aim, &forward).await?;
        let busy = self.0.load.begin(target.instance);
        let mut client = CallClient::with_origin(channel.clone(), channel.origin());
        let asking = client.stream(forward.call(left));
        let answer = self.0.clock.timeout(left, asking).await;
        let from = answer.map_err(|_| unanswered())?;
        let from = from.map_err(|status| self.forwarded(target, status))?;
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

    async fn attempt(&self, aim: Aim<'_>, forward: &Forward) -> Result<Answered, Status> {
        let (channel, left) = self.reach(aim, forward).await?;
        let _busy = self.0.load.begin(aim.target.instance);
        let mut client = CallClient::with_origin(channel.clone(), channel.origin());
        let asking = client.unary(forward.call(left));
        let answer = self.0.clock.timeout(left, asking).await;
        let answer = answer.map_err(|_| unanswered())?;
        let response = answer.map_err(|status| self.forwarded(aim.target, status))?;
        Ok(Answered::of(response))
    }

    /// A connection to a target, and the time that is left for using it. While others could still
    /// be tried, reaching one takes half of the time at most.
    async fn reach(&self, aim: Aim<'_>, forward: &Forward) -> Result<(Channel, Duration), Status> {
        let Aim {
            service,
            target,
            lane,
            is_last,
        } = aim;
        let left =
            || Some(forward.deadline.since(self.0.clock.monotonic())).filter(|it| !it.is_zero());
        let before = left().ok_or_else(too_late)?;
        let patience = if is_last { before } else { before / 2 };
        let channel = self.0.peers.channel(service, target, lane, patience).await;
        // Even with a connection: what nobody waits for any more is not sent.
        let left = left().ok_or_else(too_late)?;
        let endpoint = &target.endpoint;
        let unreached = |text: String| not_dispatched(Status::unavailable(text));
        match channel {
            Ok(channel) => Ok((channel, left)),
            Err(Unreached::Failed(error)) => Err(unreached(error.to_string())),
            Err(Unreached::Late) => Err(unreached(format!(
                "connecting to {endpoint} takes too long"
            ))),
        }
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

/// Whether another instance may be asked: this one did not run it, and there is time.
fn may_go_elsewhere(refusal: &Status) -> bool {
    is_not_dispatched(refusal) && refusal.code() != Code::DeadlineExceeded
}
