//! What is asked in one call, whatever carries it: the method, the encoded request, and what
//! differs from the defaults.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bridge_tower::{CallContext, Deadline};
use bytes::Bytes;
use contract::clock::Clock;
use contract::error_code::ErrorCode;
use tokio_stream::{Stream, StreamExt as _};

use super::outcome::Failure;
use super::reply::About;
use super::until::{CutOff, Until};
use crate::context::Context as CallerContext;
use crate::handler::MethodMeta;
use crate::options::Transport;

/// What a call, or a client for all of its calls, says that differs from the defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct CallOptions {
    pub(super) timeout: Option<Duration>,
    pub(super) transport: Option<Transport>,
    pub(super) idempotency_key: Option<Arc<str>>,
    pub(super) request_id: Option<Arc<str>>,
    /// What it is made for; `None` means what the task works for.
    pub(super) outer: Option<CallContext>,
}

/// What differs from the defaults for all calls of one client: whom it calls, and how. What a call
/// says itself counts more.
///
/// They are for any client, whatever carries its calls: give them where it is made
/// ([`Builder::client_with`](crate::Builder::client_with), [`Remote::client_with`],
/// [`Local::client_with`](crate::Local::client_with), [`Mock::client_with`](crate::Mock::client_with)),
/// or derive another client with [`ServiceClient::with`](crate::ServiceClient::with). Calls of a
/// client that cannot do what its options say fail as `CONFIG`, before anything is sent.
///
/// [`Remote::client_with`]: crate::Remote::client_with
///
/// ```
/// use std::time::Duration;
/// use bridge::{ClientOptions, Transport};
///
/// let options = ClientOptions::new()
///     .service("payments-eu")
///     .timeout(Duration::from_secs(2))
///     .transport(Transport::Direct);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    pub(super) service: Option<Arc<str>>,
    pub(super) calls: CallOptions,
}

impl ClientOptions {
    /// The contract's own service, and the builder's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls the service of this name. Default: the contract's. For clients that a builder makes:
    /// only the mesh knows services by name, and it is told before the start.
    #[must_use]
    pub fn service(mut self, name: impl Into<Arc<str>>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Bounds each call that says nothing itself. Default: the builder's `call_timeout`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.calls.timeout = Some(timeout);
        self
    }

    /// How calls travel that say nothing themselves. Default: the builder's `transport`. Without a
    /// mesh there is one way: [`Transport::Proxy`] is refused then. A [`Mock`](crate::Mock) stands
    /// for either.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.calls.transport = Some(transport);
        self
    }

    /// Names the work of each call that names none itself. It is told apart by method, so it fits a
    /// client for one piece of work: that of a job, or of a request under way. Default: none.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.calls.idempotency_key = Some(key.into());
        self
    }

    /// Makes each call that says nothing itself for the one that `context` belongs to: in its
    /// trace, and bounded by its deadline. Default: the call that the current task works for.
    #[must_use]
    pub fn context(mut self, context: &CallerContext) -> Self {
        self.calls.outer = Some(context.as_current());
        self
    }
}

/// One call.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: &'static MethodMeta,
    /// Its place among the methods of the client.
    pub(super) index: usize,
    pub(super) payload: Bytes,
    pub(super) options: CallOptions,
}

/// Encoded messages of a streamed answer, whatever brings them.
pub(super) type Payloads = Pin<Box<dyn Stream<Item = Result<Bytes, Failure>> + Send>>;

/// What a call was answered with.
#[derive(Debug)]
pub(super) struct Replied {
    pub(super) payload: Bytes,
    pub(super) about: About,
}

/// Whether a method answers once or with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Once,
    InAStream,
}

impl Answered {
    /// Refuses a method that answers the other way.
    pub(super) fn check(self, method: &MethodMeta) -> Result<(), Failure> {
        let text = match self {
            Self::Once if method.streaming => "the method answers with a stream",
            Self::InAStream if !method.streaming => "the method answers once, not with a stream",
            Self::Once | Self::InAStream => return Ok(()),
        };
        Err(Failure::before_dispatch(ErrorCode::Validation, text))
    }
}

impl CallOptions {
    /// These, and `others` where they say nothing.
    pub(super) fn or(self, others: &Self) -> Self {
        Self {
            timeout: self.timeout.or(others.timeout),
            transport: self.transport.or(others.transport),
            idempotency_key: self
                .idempotency_key
                .or_else(|| others.idempotency_key.clone()),
            request_id: self.request_id.or_else(|| others.request_id.clone()),
            outer: self.outer.or_else(|| others.outer.clone()),
        }
    }

    /// The nearer of the call's own deadline and that of the work it is made for.
    pub(super) fn deadline(
        &self,
        clock: &Clock,
        default: Duration,
        outer: Option<&CallContext>,
    ) -> Result<Deadline, Failure> {
        let own = self.timeout.unwrap_or(default);
        let inherited = outer
            .and_then(|it| it.deadline.as_ref())
            .map(Deadline::remaining);
        let deadline = Deadline::after(clock, inherited.map_or(own, |left| own.min(left)));
        if deadline.has_passed() {
            let text = "the deadline passed before the call was made; nothing was sent";
            return Err(Failure::before_dispatch(ErrorCode::Timeout, text));
        }
        Ok(deadline)
    }
}

/// The deadline passed while a call was under way.
pub(super) fn late() -> Failure {
    let text = "the deadline passed; whether the work was done is unknown";
    Failure::final_(ErrorCode::Timeout, text)
}

/// A streamed answer that is cut off at its deadline.
pub(super) fn until<S>(deadline: Deadline, answer: S) -> Payloads
where
    S: Stream<Item = Result<Bytes, Failure>> + Unpin + Send + 'static,
{
    let answer = Until::new(answer, Some(deadline));
    Box::pin(answer.map(|item| item.unwrap_or_else(|CutOff| Err(late()))))
}
