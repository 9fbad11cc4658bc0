//! One streaming call: one pick, one way, one attempt.
//!
//! A stream is never opened twice. What a second instance would answer from its beginning is not
//! what the first one would have gone on with, so a failure is the caller's to see.

use std::sync::Arc;

use contract::ids::ServiceId;
use contract::transport::{GrpcRequest, Messages};

use super::asked::Answered;
use super::attempts::{Attempts, outcome};
use super::outcome::{Dispatch, Failure};
use crate::instance::{InFlight, InstanceLink, Trial};
use crate::options::Transport;

/// A stream whose callee has begun to answer.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) messages: Messages,
    /// The instance is busy with it; `None` on the way through the runtime.
    pub(super) in_flight: Option<InFlight<Arc<InstanceLink>>>,
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
        // A callee that begins to answer has taken the call: how long it goes on says no more.
        let trial = Trial::new(&instance, pass, &self.deadline);
        let opened = self.open_directly(&instance).await;
        trial.ended(outcome(&opened));
        if let Err(failure) = &opened
            && failure.dispatch == Dispatch::Never
        {
            instance.shun();
        }
        opened
    }

    async fn open_directly(&self, instance: &Arc<InstanceLink>) -> Result<Opened, Failure> {
        let channel = self.channel(instance).await?;
        let in_flight = Some(instance.enter_owned());
        let request = self.timed(self.parts.request(Answered::InAStream));
        let messages = channel.stream(request).await;
        let messages = messages.map_err(|status| Failure::of_status(&status))?;
        Ok(Opened {
            messages,
            in_flight,
        })
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
            in_flight: None,
        })
    }

    fn timed(&self, mut request: GrpcRequest) -> GrpcRequest {
        request.timeout(self.left());
        request
    }
}
