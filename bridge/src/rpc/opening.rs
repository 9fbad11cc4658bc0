//! One streaming call: one pick, one way, one attempt.
//!
//! A stream is never opened twice. What a second instance would answer from its beginning is not
//! what the first one would have gone on with, so a failure is the caller's to see.

use std::sync::Arc;

use bridge_tower::Deadline;
use contract::ids::ServiceId;
use contract::transport::{GrpcRequest, Messages};

use super::asked::Answered;
use super::attempts::Attempts;
use super::outcome::Failure;
use crate::instance::{InFlight, InstanceLink, Trial};
use crate::options::Transport;

/// A stream whose callee has begun to answer.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) messages: Messages,
    /// `None` on the way through the runtime.
    pub(super) working: Option<Working>,
}

/// The instance is busy with it, and its breaker waits to hear how it goes.
#[derive(Debug)]
pub(super) struct Working {
    pub(super) trial: Trial<Arc<InstanceLink>, Deadline>,
    _in_flight: InFlight<Arc<InstanceLink>>,
}

impl Attempts<'_> {
    /// Opens the stream. `Auto` is direct here: there is no second attempt it could go through
    /// the runtime with.
    pub(super) async fn open(&mut self) -> Result<Opened, Failure> {
        self.served.attempt = 1;
        if self.transport == Transport::Proxy {
            let target = self.name()?;
            return self.open_through_runtime(target).await;
        }
        let (instance, pass) = self.pick(&[])?;
        let mut trial = Trial::new(instance.clone(), pass, self.deadline.clone());
        match self.open_directly(&instance).await {
            Ok((messages, _in_flight)) => {
                trial.begun();
                let working = Some(Working { trial, _in_flight });
                Ok(Opened { messages, working })
            }
            Err(failure) => {
                trial.ended(failure.outcome());
                Err(failure)
            }
        }
    }

    async fn open_directly(
        &self,
        instance: &Arc<InstanceLink>,
    ) -> Result<(Messages, InFlight<Arc<InstanceLink>>), Failure> {
        let channel = self.channel(instance).await?;
        let in_flight = instance.enter_owned();
        let request = self.timed(self.parts.request(Answered::InAStream));
        let messages = channel.stream(request).await;
        let messages = messages.map_err(|status| Failure::of_status(&status))?;
        Ok((messages, in_flight))
    }

    async fn open_through_runtime(&self, target: ServiceId) -> Result<Opened, Failure> {
        let channel = self.runtime().await?;
        let hash = self.dependency.method.contract_hash;
        let invoke = self.parts.invoke(target, hash, &[]);
        let request = self.parts.invoke_request(&invoke, Answered::InAStream);
        let messages = channel.stream(self.timed(request)).await;
        let messages = messages.map_err(|status| Failure::of_status(&status))?;
        Ok(Opened {
            messages,
            working: None,
        })
    }

    fn timed(&self, mut request: GrpcRequest) -> GrpcRequest {
        request.timeout(self.left());
        request
    }
}
