//! The inbound server: who may call, whether there is room, and running the handler.
//!
//! The order of the checks is part of the contract. Everything before the handler is a gRPC
//! status, and a refusal that another instance could serve says that nothing ran. From the
//! handler on the answer is OK with a payload or the handler's error.
//!
//! Invariant: the caller is who its certificate says; a message speaks for somebody else only
//! when it comes from the runtime.

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bridge_tower::{CallContext, Deadline, context};
use contract::grpc::v1::call_server::Call;
use contract::grpc::v1::{CallRequest, CallResponse, StreamChunk};
use contract::headers::{GRPC_TIMEOUT, TRACEPARENT, TraceContext, parse_grpc_timeout};
use contract::ids::{OpId, TraceId};
use contract::tls::Peer;
use contract::transport::{Connection, not_dispatched};
use contract::w3c::{TraceFlags, TraceParent};
use tokio::sync::SemaphorePermit;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use super::admission::{Admission, Refused};
use crate::context::{Caller, Context, Parts};
use crate::handler::{Answer, Answering, Run};
use crate::registry::Verdict;
use crate::session::Session;

/// The code of a failure that is not a business error.
const INTERNAL: &str = "INTERNAL";

/// A served method.
pub(crate) struct Method {
    pub(crate) run: Run,
}

/// Answers `Call` for this instance. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Inbound(Arc<Shared>);

struct Shared {
    session: Arc<Session>,
    methods: HashMap<&'static str, Method>,
    admission: Admission,
}

impl Inbound {
    pub(crate) fn new(session: Arc<Session>, methods: HashMap<&'static str, Method>) -> Self {
        let limits = &session.options.limits;
        let admission = Admission::new(limits.concurrent_calls_max, limits.queued_calls_max);
        Self(Arc::new(Shared {
            session,
            methods,
            admission,
        }))
    }

    /// Refuses new calls and waits for the running ones, at most for `wait`. Returns how many
    /// did not finish.
    pub(crate) async fn drain(&self, wait: Duration) -> u32 {
        self.0.admission.drain(&self.0.session.clock, wait).await
    }

    /// Rows 1 to 6: may this call run now?
    async fn admit(&self, peer: Peer, method: &str) -> Result<SemaphorePermit<'_>, Status> {
        if self.0.admission.is_draining() {
            return Err(draining());
        }
        let verdict = self.0.session.registry.access().verdict(peer, method);
        accepted(verdict, peer, method)?;
        self.0
            .admission
            .enter()
            .await
            .map_err(|refused| match refused {
                Refused::Draining => draining(),
                Refused::Overloaded => not_dispatched(Status::resource_exhausted(
                    "the instance is overloaded: no free slot and no place in the queue",
                )),
            })
    }

    fn context(
        &self,
        peer: Peer,
        request: &mut CallRequest,
        deadline: Option<Deadline>,
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
        })
    }

    async fn serve(&self, request: Request<CallRequest>) -> Result<CallResponse, Status> {
        let peer = peer_of(&request);
        let clock = &self.0.session.clock;
        let deadline = timeout_of(request.metadata()).map(|left| Deadline::after(clock, left));
        let flags = flags_of(request.metadata());
        let mut request = request.into_inner();
        let _slot = self.admit(peer, &request.method).await?;
        if deadline.as_ref().is_some_and(Deadline::has_passed) {
            let status = Status::deadline_exceeded("the deadline passed before the handler ran");
            return Err(not_dispatched(status));
        }
        let method = self.0.methods.get(&*request.method);
        let method = method.ok_or_else(|| no_such_method(&request.method))?;
        let context = self.context(peer, &mut request, deadline.clone());
        let mut current = CallContext::new(context.trace()).deadline(deadline.clone());
        current.flags = flags.unwrap_or(current.flags);
        let payload = std::mem::take(&mut request.payload);
        // The handler's own code starts before its future is polled, and may panic there too.
        let started = catch_unwind(AssertUnwindSafe(|| (method.run)(payload, context)));
        let running = match started {
            Ok(running) => context::scope(current, CatchPanic(running)),
            Err(panic) => return Ok(panicked(&request.method, &*panic)),
        };
        let ended = match deadline {
            Some(deadline) => clock.timeout(deadline.remaining(), running).await,
            None => Ok(running.await),
        };
        match ended {
            Ok(Ok(answer)) => respond(answer),
            Ok(Err(panic)) => Ok(panicked(&request.method, &*panic)),
            Err(_) => Err(Status::deadline_exceeded(
                "the deadline passed while the handler ran",
            )),
        }
    }
}

#[tonic::async_trait]
impl Call for Inbound {
    async fn unary(&self, request: Request<CallRequest>) -> Result<Response<CallResponse>, Status> {
        self.serve(request).await.map(Response::new)
    }

    type StreamStream = tokio_stream::Empty<Result<StreamChunk, Status>>;

    async fn stream(
        &self,
        request: Request<CallRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let peer = peer_of(&request);
        let name = &request.get_ref().method;
        let _slot = self.admit(peer, name).await?;
        if self.0.methods.contains_key(&**name) {
            let text = format!("`{name}` answers once; call it as a unary method");
            return Err(Status::failed_precondition(text));
        }
        Err(no_such_method(name))
    }
}

fn peer_of<T>(request: &Request<T>) -> Peer {
    request
        .extensions()
        .get::<Connection>()
        .map_or(Peer::Unknown, |connection| connection.peer)
}

fn accepted(verdict: Verdict, peer: Peer, method: &str) -> Result<(), Status> {
    let peer = || {
        peer.uri()
            .unwrap_or_else(|| "an unidentified peer".to_owned())
    };
    match verdict {
        Verdict::Allowed => Ok(()),
        Verdict::NotReady => Err(not_dispatched(Status::unavailable(
            "the instance is not ready: it has not received its policy yet",
        ))),
        Verdict::Revoked => Err(Status::permission_denied(format!("{} is revoked", peer()))),
        Verdict::Unidentified => Err(Status::permission_denied(format!(
            "`{method}` is open to listed services only, and the peer's certificate names none"
        ))),
        Verdict::Denied => Err(Status::permission_denied(format!(
            "no acceptance rule lets {} call `{method}`",
            peer()
        ))),
    }
}

fn draining() -> Status {
    not_dispatched(Status::unavailable("the instance is draining"))
}

fn no_such_method(name: &str) -> Status {
    Status::not_found(format!("this instance does not serve `{name}`"))
}

fn respond(answer: Answer) -> Result<CallResponse, Status> {
    match answer {
        Answer::Reply(payload) => Ok(CallResponse {
            payload,
            ..CallResponse::default()
        }),
        Answer::Business { code, message } => {
            let code = if code.is_empty() { INTERNAL } else { code };
            Ok(failed(code, message))
        }
        Answer::Undecodable(why) => Err(Status::invalid_argument(format!(
            "the request is not the contract's message: {why}"
        ))),
    }
}

fn failed(code: &str, message: String) -> CallResponse {
    let error_code = code.to_owned();
    CallResponse {
        error_code,
        error_message: message,
        ..CallResponse::default()
    }
}

/// The panic's text goes to our log; the caller learns that something broke, not what.
fn panicked(method: &str, panic: &(dyn Any + Send)) -> CallResponse {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(
        method,
        panic = text.unwrap_or("not a text"),
        "handler panicked"
    );
    failed(
        INTERNAL,
        format!("the handler of `{method}` panicked; see its log"),
    )
}

/// The rest of the caller's deadline.
fn timeout_of(metadata: &MetadataMap) -> Option<Duration> {
    parse_grpc_timeout(metadata.get(GRPC_TIMEOUT)?.to_str().ok()?)
}

/// Whether the caller records the trace, if it says so.
fn flags_of(metadata: &MetadataMap) -> Option<TraceFlags> {
    let read = TraceParent::parse(metadata.get(TRACEPARENT)?.as_bytes())?;
    Some(read.flags())
}

/// A handler whose panic is a value: one call must not take the connection's others down.
struct CatchPanic(Answering);

impl Future for CatchPanic {
    type Output = Result<Answer, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        // The future is dropped after a panic and never polled again, so nobody sees what it
        // left half done.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

#[cfg(test)]
mod tests;
