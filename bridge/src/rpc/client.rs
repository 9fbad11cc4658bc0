//! One call as a value: what a typed client returns, and what it comes to when it is awaited.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::error_code::ErrorCode;

use super::asked::CallOptions;
use super::replies::Replies;
use super::reply::Reply;
use super::target::Target;
use crate::call_error::CallError;
use crate::context::Context;
use crate::handler::MethodMeta;
use crate::options::Transport;

impl Target {
    /// A call of `method`; it goes out when the value is awaited.
    pub fn unary<Req, Rep>(&self, method: &'static MethodMeta, request: Req) -> Call<Rep>
    where
        Req: prost::Message,
        Rep: prost::Message + Default,
    {
        Call::new(self, method, &request)
    }

    /// A call of `method`, which answers with a stream; it goes out when the value is awaited.
    pub fn stream<Req, Item>(&self, method: &'static MethodMeta, request: Req) -> StreamCall<Item>
    where
        Req: prost::Message,
        Item: prost::Message + Default,
    {
        Call::new(self, method, &request)
    }
}

/// A call that has not been made yet: set what differs from the defaults, then `.await` it.
///
/// Dropping the future cancels the call, also at the callee.
///
/// # Errors
///
/// Awaiting it gives a [`CallError`]; [`retryable`](CallError::retryable) ones were not executed.
#[must_use = "a call is made when it is awaited"]
pub struct Call<Rep> {
    target: Target,
    method: &'static MethodMeta,
    payload: Bytes,
    options: CallOptions,
    reply: PhantomData<fn() -> Rep>,
}

/// A call that is answered with a stream. Awaiting it gives [`Replies`] once the callee begins to
/// answer, or the error of a callee that refuses.
///
/// It is never repeated and takes one way: [`Transport::Auto`] is the direct one.
pub type StreamCall<Item> = Call<Replies<Item>>;

impl<Rep> fmt::Debug for Call<Rep> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.target.operation(self.method))
            .field("payload_bytes", &self.payload.len())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<Rep> Call<Rep> {
    fn new(target: &Target, method: &'static MethodMeta, request: &impl prost::Message) -> Self {
        Self {
            target: target.clone(),
            method,
            payload: request.encode_to_vec().into(),
            options: target.defaults(),
            reply: PhantomData,
        }
    }

    /// Bounds the whole call, all attempts and pauses and all of a streamed answer included.
    /// Default: the builder's `call_timeout`, 30 s. Inside a handler the handler's own deadline
    /// bounds it as well.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// How it travels. Default: the builder's `transport`, [`Transport::Auto`]. A client of a URL
    /// or of handlers of this process refuses [`Transport::Proxy`] as `CONFIG`.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.options.transport = Some(transport);
        self
    }

    /// Names the work, so that the callee can recognise a repeat. Default: none. It does not
    /// make a call that may have run be repeated.
    pub fn idempotency_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.options.idempotency_key = Some(key.into());
        self
    }

    /// Correlates the attempts of this call. Default: a random UUID.
    pub fn request_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.options.request_id = Some(id.into());
        self
    }

    /// Makes the call for the one that `context` belongs to: in its trace, and bounded by its
    /// deadline. Default: the call that the current task works for, if it works for one. A task
    /// that a handler spawns does not, unless it is told so here.
    pub fn context(mut self, context: &Context) -> Self {
        self.options.outer = Some(context.as_current());
        self
    }

    /// Makes the call, and tells with the reply what the callee said about it: whether it is the
    /// kept answer of an earlier call with the same idempotency key.
    ///
    /// # Errors
    ///
    /// As awaiting the call itself.
    pub async fn with_meta(self) -> Result<Reply<Rep>, CallError>
    where
        Rep: prost::Message + Default,
    {
        let (target, method, payload, options) = self.into_parts();
        let replied = target.ask(method, payload, options).await?;
        let message = Rep::decode(replied.payload).map_err(|error| {
            let text = format!("the reply is not the message of the contract: {error}");
            CallError::new(ErrorCode::Internal, target.operation(method), text)
        })?;
        Ok(Reply::new(message, replied.about))
    }

    fn into_parts(self) -> (Target, &'static MethodMeta, Bytes, CallOptions) {
        (self.target, self.method, self.payload, self.options)
    }
}

/// The future of a [`Call`].
pub type CallFuture<Rep> = Pin<Box<dyn Future<Output = Result<Rep, CallError>> + Send>>;

impl<Rep: prost::Message + Default + 'static> IntoFuture for Call<Rep> {
    type Output = Result<Rep, CallError>;
    type IntoFuture = CallFuture<Rep>;

    fn into_future(self) -> CallFuture<Rep> {
        Box::pin(async move { self.with_meta().await.map(Reply::into_message) })
    }
}

impl<Item: prost::Message + Default + 'static> IntoFuture for Call<Replies<Item>> {
    type Output = Result<Replies<Item>, CallError>;
    type IntoFuture = CallFuture<Replies<Item>>;

    fn into_future(self) -> CallFuture<Replies<Item>> {
        Box::pin(async move {
            let (target, method, payload, options) = self.into_parts();
            let payloads = target.open(method, payload, options).await?;
            Ok(Replies::new(payloads, target.operation(method)))
        })
    }
}
