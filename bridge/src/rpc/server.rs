//! The inbound server: who may call, whether there is room, and running the handler.
//!
//! The order of the checks is part of the contract. Everything before the handler is a gRPC
//! status, and a refusal that another instance could serve says that nothing ran. From the
//! handler on the answer is OK with a payload or the handler's error.
//!
//! Invariant: the caller is who its certificate says; a message speaks for somebody else only
//! when it comes from the runtime.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bridge_tower::Deadline;
use contract::grpc::v1::call_server::Call;
use contract::grpc::v1::{CallRequest, CallResponse};
use contract::headers::{REPLAYED, STORED, TraceContext};
use contract::ids::{OpId, TraceId};
use contract::tls::Peer;
use contract::transport::not_dispatched;
use contract::w3c::TraceFlags;
use tokio::sync::SemaphorePermit;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status};

use super::admission::Admission;
use super::chunks::Chunks;
use super::promised;
use super::running::{self, Given, Method};
use super::said::{
    accepted, draining, flags_of, no_such_method, other_kind, peer_of, respond, timeout_of,
    undecodable,
};
use crate::context::{Caller, Context, Left, Parts};
use crate::handler::{Answering, Run, Starts};
use crate::idempotency::{Answered, Outcomes, Replay};
use crate::key::Idempotent;
use crate::session::Session;

/// Answers `Call` for this instance. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Inbound(Arc<Shared>);

struct Shared {
    session: Arc<Session>,
    methods: HashMap<&'static str, Method>,
    admission: Arc<Admission>,
    /// Streams last: they have room of their own, so that they never take that of other calls.
    streams: Arc<Admission>,
    outcomes: Outcomes,
}

type Served = Result<Answered, Status>;

/// A call that may run now.
struct Begun<'i> {
    slot: SemaphorePermit<'i>,
    method: &'i Method,
    given: Given,
    deadline: Option<Deadline>,
}

impl Inbound {
    pub(crate) fn new(session: Arc<Session>, methods: HashMap<&'static str, Method>) -> Self {
        let limits = &session.options.limits;
        let admission = Admission::new(limits.concurrent_calls_max, limits.queued_calls_max);
        let streams = Admission::new(limits.concurrent_streams_max, 0);
        let outcomes = Outcomes::in_runtime(&session, limits.work_max);
        Self(Arc::new(Shared {
            outcomes,
            session,
            methods,
            admission: Arc::new(admission),
            streams: Arc::new(streams),
        }))
    }

    /// What became of work that is done once.
    pub(crate) fn outcomes(&self) -> &Outcomes {
        &self.0.outcomes
    }

    /// Refuses new calls and waits for the running ones, at most for `wait`. Returns how many
    /// did not finish.
    pub(crate) async fn drain(&self, wait: Duration) -> u32 {
        let clock = &self.0.session.clock;
        let (calls, streams) = tokio::join!(
            self.0.admission.drain(clock, wait),
            self.0.streams.drain(clock, wait)
        );
        calls + streams
    }

    /// Rows 1 to 6: may this call run now?
    async fn admit<'i>(
        &self,
        admission: &'i Admission,
        peer: Peer,
        method: &str,
    ) -> Result<SemaphorePermit<'i>, Status> {
        if admission.is_draining() {
            return Err(draining());
        }
        let verdict = self.0.session.registry.access().verdict(peer, method);
        accepted(verdict, peer, method)?;
        Ok(admission.enter().await?)
    }

    fn context(
        &self,
        peer: Peer,
        request: &mut CallRequest,
        deadline: Option<Deadline>,
        flags: Option<TraceFlags>,
    ) -> Context {
        let mint = &self.0.session.mint;
        let trace = TraceContext::parse(&request.x_sb_trace).unwrap_or_else(|| TraceContext {
            trace: TraceId::mint(mint),
            parent: OpId::NONE,
        });
        let caller = match peer {
            Peer::Service { service, instance } => Some(Caller {
                service,
                instance: Some(instance),
            }),
            // Only the runtime may speak for somebody else.
            Peer::Runtime => {
                let service = request.caller_service.parse().ok();
                service.map(|service| Caller {
                    service,
                    instance: None,
                })
            }
            Peer::Unknown => None,
        };
        Context::new(Parts {
            deadline,
            caller,
            request_id: std::mem::take(&mut request.request_id),
            idempotency_key: std::mem::take(&mut request.idempotency_key),
            trace,
            flags: flags.unwrap_or(TraceFlags::SAMPLED),
            left: Left::default(),
        })
    }

    /// Everything up to the handler, the same for all methods.
    async fn begin<'i>(
        &'i self,
        admission: &'i Admission,
        request: Request<CallRequest>,
    ) -> Result<Begun<'i>, Status> {
        let peer = peer_of(&request);
        let clock = &self.0.session.clock;
        let deadline = timeout_of(request.metadata()).map(|left| Deadline::after(clock, left));
        let flags = flags_of(request.metadata());
        let mut request = request.into_inner();
        let slot = self.admit(admission, peer, &request.method).await?;
        if deadline.as_ref().is_some_and(Deadline::has_passed) {
            let status = Status::deadline_exceeded("the deadline passed before the handler ran");
            return Err(not_dispatched(status));
        }
        let found = self.0.methods.get_key_value(&*request.method);
        let (name, method) = found.ok_or_else(|| no_such_method(&request.method))?;
        let context = self.context(peer, &mut request, deadline.clone(), flags);
        let current = context.as_current();
        Ok(Begun {
            slot,
            method,
            given: Given {
                method: name,
                payload: request.payload,
                context,
                current,
            },
            deadline,
        })
    }

    async fn serve(&self, request: Request<CallRequest>) -> Served {
        let begun = self.begin(&self.0.admission, request).await?;
        let Run::Once(start) = &begun.method.run else {
            return Err(other_kind(begun.given.method, "with a stream", "streaming"));
        };
        if let Some(idempotent) = &begun.method.idempotent {
            return Box::pin(self.serve_once(idempotent, start, begun)).await;
        }
        let running = running::once(start, begun.given).map_err(undecodable)?;
        let clock = &self.0.session.clock;
        let ended = match begun.deadline {
            Some(deadline) => clock.timeout(deadline.remaining(), running).await,
            None => Ok(running.await),
        };
        drop(begun.slot);
        match ended {
            Ok(handled) => Ok(Answered::fresh(respond(handled.answer))),
            Err(_) => Err(Status::deadline_exceeded(
                "the deadline passed while the handler ran",
            )),
        }
    }

    /// Answers all calls with one key alike, by running the handler for one of them.
    async fn serve_once(
        &self,
        idempotent: &Idempotent,
        start: &Starts<Answering>,
        begun: Begun<'_>,
    ) -> Served {
        let Begun {
            slot,
            given,
            deadline,
            ..
        } = begun;
        let slot = self.0.admission.hold(slot);
        let promise = (idempotent, start);
        promised::answer(&self.0.outcomes, promise, given, deadline, slot).await
    }

    async fn answer(&self, request: Request<CallRequest>) -> Result<Chunks, Status> {
        let begun = self.begin(&self.0.streams, request).await?;
        let Run::Stream(start) = &begun.method.run else {
            return Err(other_kind(begun.given.method, "once", "unary"));
        };
        let items = running::stream(start, begun.given).map_err(undecodable)?;
        let slot = self.0.streams.hold(begun.slot);
        Ok(Chunks::new(items, slot, begun.deadline))
    }
}

#[tonic::async_trait]
impl Call for Inbound {
    async fn unary(&self, request: Request<CallRequest>) -> Result<Response<CallResponse>, Status> {
        let answered = self.serve(request).await?;
        let mut response = Response::new(answered.response);
        if answered.replay == Replay::Replayed {
            let said = MetadataValue::from_static("1");
            response.metadata_mut().insert(REPLAYED, said);
        }
        if let Some(stored) = answered.stored {
            let said = MetadataValue::from_static(stored);
            response.metadata_mut().insert(STORED, said);
        }
        Ok(response)
    }

    type StreamStream = Chunks;

    async fn stream(&self, request: Request<CallRequest>) -> Result<Response<Chunks>, Status> {
        self.answer(request).await.map(Response::new)
    }
}

#[cfg(test)]
mod tests;
