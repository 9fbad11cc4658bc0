//! One logical call: as many attempts as it may take, within one deadline.
//!
//! Another attempt follows only a failure that provably happened before any handler ran. It goes
//! to another instance at once; when all were tried, through the runtime (`Auto`) at once; and
//! only then after a pause, because only then waiting can help.

use std::sync::Arc;
use std::time::Duration;

use contract::error_code::ErrorCode;
use contract::grpc::v1::CallResponse;
use contract::ids::{InstanceId, ServiceId};
use contract::transport::{Channel, GrpcRequest};
use prost::Message as _;

use super::asked::{Answered, Replied};
use super::balance::{draw, pick};
use super::outcome::{Dispatch, Failure};
use super::reply::About;
use super::wire::CallParts;
use crate::breaker::{Outcome, Pass};
use crate::instance::{InstanceLink, Trial};
use crate::link::CONNECT_TIMEOUT_MAX;
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
    pub(super) async fn run(&mut self) -> Result<Replied, Failure> {
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
        if via_proxy {
            return Next::AfterPause;
        }
        let routes = self.session.registry.routes();
        let candidates = &routes.slot(self.slot).candidates;
        let is_auto = self.transport == Transport::Auto;
        if tried.is_empty() {
            // Nobody could be picked. The runtime may reach what we lately could not.
            let is_cut_off = candidates.iter().any(|it| it.instance.breaker.is_cut_off());
            return if is_auto && is_cut_off {
                Next::Proxy
            } else {
                Next::AfterPause
            };
        }
        // The last attempt of `Auto` belongs to the proxy: it may reach what we cannot.
        let is_last = attempt + 1 >= self.retry.attempts;
        let others = draw(candidates, tried, &self.session.clock).is_some();
        if is_auto && (is_last || !others) {
            Next::Proxy
        } else if others {
            Next::Another
        } else {
            Next::AfterPause
        }
    }

    async fn attempt(
        &mut self,
        via_proxy: bool,
        tried: &mut Vec<InstanceId>,
    ) -> Result<Replied, Failure> {
        if via_proxy {
            let target = self.name()?;
            return Box::pin(self.through_runtime(target, tried)).await;
        }
        let (instance, pass) = self.pick(tried)?;
        let trial = Trial::new(&*instance, pass, &self.deadline);
        let result = self.direct(&instance).await;
        trial.ended(outcome(&result));
        if let Err(failure) = &result
            && failure.dispatch == Dispatch::Never
        {
            tried.push(instance.id.instance);
        }
        result
    }

    /// The instance for one attempt, remembered as the one that served.
    pub(super) fn pick(
        &mut self,
        tried: &[InstanceId],
    ) -> Result<(Arc<InstanceLink>, Pass), Failure> {
        let routes = self.session.registry.routes();
        let slot = allowed(routes.slot(self.slot))?;
        let Some((candidate, pass)) = pick(&slot.candidates, tried, &self.session.clock) else {
            return Err(nobody(self.dependency, slot));
        };
        let id = &candidate.instance.id;
        self.served.via_proxy = false;
        self.served.instance = Some(id.instance);
        self.served.service = Some(id.service);
        Ok((candidate.instance.clone(), pass))
    }

    /// The service that is named to the runtime, which picks for itself.
    pub(super) fn name(&mut self) -> Result<ServiceId, Failure> {
        let routes = self.session.registry.routes();
        let slot = allowed(routes.slot(self.slot))?;
        let Some(candidate) = slot.candidates.first() else {
            return Err(nobody(self.dependency, slot));
        };
        let service = candidate.instance.id.service;
        self.served.via_proxy = true;
        self.served.instance = None;
        self.served.service = Some(service);
        Ok(service)
    }

    async fn direct(&self, instance: &InstanceLink) -> Result<Replied, Failure> {
        let channel = self.channel(instance).await?;
        let _in_flight = instance.enter();
        self.ask(&channel, self.parts.request(Answered::Once)).await
    }

    /// Sends the call and reads its answer, which is the same from an instance and the runtime.
    async fn ask(&self, channel: &Channel, mut request: GrpcRequest) -> Result<Replied, Failure> {
        request.timeout(self.left());
        let reply = channel.unary(request).await;
        let reply = reply.map_err(|status| Failure::of_status(&status))?;
        let about = About::of(&reply.metadata);
        let reply = CallResponse::decode(reply.message).map_err(Failure::unreadable)?;
        let answered =
            Failure::unless_answered(reply.payload, reply.error_code, reply.error_message);
        let payload = answered.map_err(|error| error.replayed(about.is_replayed))?;
        Ok(Replied { payload, about })
    }

    /// The connection to the instance, waited for no longer than leaves time for another way.
    pub(super) async fn channel(&self, instance: &InstanceLink) -> Result<Channel, Failure> {
        if let Some(channel) = instance.link.ready() {
            return Ok(channel);
        }
        let wait = (self.deadline.remaining() / 2).min(CONNECT_TIMEOUT_MAX);
        let channel = instance.link.channel(wait).await;
        channel.map_err(|error| Failure::before_dispatch(ErrorCode::Connection, error.to_string()))
    }

    async fn through_runtime(
        &self,
        target: ServiceId,
        tried: &[InstanceId],
    ) -> Result<Replied, Failure> {
        let channel = self.runtime().await?;
        let hash = self.dependency.method.contract_hash;
        let invoke = self.parts.invoke(target, hash, tried);
        let request = self.parts.invoke_request(&invoke, Answered::Once);
        self.ask(&channel, request).await
    }

    /// The connection to the runtime, waited for like one to an instance.
    pub(super) async fn runtime(&self) -> Result<Channel, Failure> {
        let wait = (self.deadline.remaining() / 2).min(CONNECT_TIMEOUT_MAX);
        self.session.runtime.channel(wait).await.map_err(|error| {
            let text = format!("no way through the runtime: {error}");
            Failure::before_dispatch(ErrorCode::Connection, text)
        })
    }

    /// What the callee is told about the deadline; a call that is made has some time.
    pub(super) fn left(&self) -> Duration {
        self.deadline.remaining().max(Duration::from_millis(1))
    }
}

/// What an attempt says about the instance it went to.
fn outcome<T>(result: &Result<T, Failure>) -> Outcome {
    result
        .as_ref()
        .err()
        .map_or(Outcome::Success, Failure::outcome)
}

fn allowed(slot: &Slot) -> Result<&Slot, Failure> {
    if slot.is_denied {
        let text = "an egress rule of this service does not allow the call";
        return Err(Failure::final_(ErrorCode::AccessDenied, text));
    }
    Ok(slot)
}

/// Nobody can take the call; which of four reasons tells where to look.
fn nobody(dependency: &Dependency, slot: &Slot) -> Failure {
    let Dependency { service, method } = dependency;
    let held = slot
        .candidates
        .iter()
        .filter_map(|it| it.instance.breaker.held());
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
    } else if let Some(soonest) = held.min() {
        format!(
            "circuit open: too many calls of `{service}` failed lately ({} instances), and the next one is tried in {} s; look at their logs",
            slot.candidates.len(),
            soonest.as_millis().div_ceil(1_000)
        )
    } else {
        format!(
            "no instance of `{service}` takes calls now ({} advertise no address, are stopping or revoked)",
            slot.matching
        )
    };
    Failure::before_dispatch(ErrorCode::NoLiveInstance, text)
}
