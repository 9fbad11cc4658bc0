//! Operations that a user names: steps of a handler's work, or work that nobody called for.

use std::future::Future;

use bridge_tower::context::Scope;
use bridge_tower::{CallContext, context};
use contract::headers::TraceContext;

use super::ended::Ended;
use super::op::{Named, What};
use super::running::Op;
use super::value::{Object, Value, cut};
use super::{Telemetry, scope};

/// Longest subject, key or message, in bytes; the rest is cut.
pub(super) const TEXT_BYTES_MAX: usize = 1_024;
/// Largest object of attributes, in bytes.
pub(super) const ATTRS_BYTES_MAX: usize = 2 * 1024;

/// An operation about to start; see [`Telemetry::op`].
#[derive(Debug)]
#[must_use = "an operation begins with `start`"]
pub struct OpBuilder {
    telemetry: Telemetry,
    subject: Box<str>,
    key: Box<str>,
    attrs: Object,
    parent: Option<CallContext>,
}

impl OpBuilder {
    /// What people search for: the number of an order, the key of a message. Cut to 1 KiB.
    pub fn key(mut self, key: impl AsRef<str>) -> Self {
        self.key = cut(key.as_ref(), TEXT_BYTES_MAX).into();
        self
    }

    /// Adds an attribute. Attributes of more than 2 KiB altogether are left out, and the
    /// operation says so.
    pub fn attr(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attrs.add(name, &value.into());
        self
    }

    /// Starts it, under the operation the current task works for; without one it begins a trace.
    pub fn start(self) -> UserOp {
        let Self {
            telemetry,
            subject,
            key,
            attrs,
            parent,
        } = self;
        let what = || {
            What::User(Box::new(Named {
                subject,
                key,
                attrs: attrs.finish().into(),
            }))
        };
        let op = telemetry.start(parent.as_ref(), "dropped", what);
        let mut context = CallContext::new(op.context());
        if let Some(parent) = parent {
            context = CallContext {
                trace: op.context(),
                ..parent
            };
        }
        UserOp { op, context, attrs }
    }
}

/// An operation under way. End it with [`ok`](Self::ok) or [`fail`](Self::fail); one that is
/// dropped before has failed, with the message `dropped`.
#[derive(Debug)]
pub struct UserOp {
    op: Op,
    context: CallContext,
    attrs: Object,
}

impl UserOp {
    /// Runs `future` inside: calls it makes, operations it starts and entries it logs hang under
    /// this operation. It does not end the operation.
    pub fn run<F: Future>(&self, future: F) -> Scope<F> {
        context::scope(self.context.clone(), future)
    }

    /// A step of this operation, not started yet.
    pub fn child(&self, subject: impl AsRef<str>) -> OpBuilder {
        let mut child = self.op.telemetry.op(subject);
        child.parent = Some(self.context.clone());
        child
    }

    /// The trace, and this operation as the parent of others.
    pub fn context(&self) -> TraceContext {
        self.context.trace
    }

    /// Adds an attribute that was not known at the start.
    pub fn attr(&mut self, name: &str, value: impl Into<Value>) {
        self.attrs.add(name, &value.into());
    }

    /// Ends it as a success.
    pub fn ok(self) {
        self.end(Ended::Success, "");
    }

    /// Ends it as failed; `message` says why and is cut to 1 KiB.
    pub fn fail(self, message: impl AsRef<str>) {
        self.end(Ended::Error, message.as_ref());
    }

    fn end(mut self, ended: Ended, message: &str) {
        let attrs = &self.attrs;
        let message = || cut(message, TEXT_BYTES_MAX).into();
        self.op
            .finish(ended, message, |record| record.attrs(attrs.finish().into()));
    }
}

impl Telemetry {
    /// An operation of the user's own, named by `subject`, which is cut to 1 KiB.
    ///
    /// ```no_run
    /// # async fn example(bridge: &bridge::Bridge) {
    /// let op = bridge.telemetry().op("stock.recount").key("warehouse-7").attr("shelves", 12).start();
    /// let counted = op.run(recount()).await;
    /// match counted {
    ///     Ok(()) => op.ok(),
    ///     Err(error) => op.fail(error),
    /// }
    /// # }
    /// # async fn recount() -> Result<(), String> { Ok(()) }
    /// ```
    pub fn op(&self, subject: impl AsRef<str>) -> OpBuilder {
        OpBuilder {
            telemetry: self.clone(),
            subject: cut(subject.as_ref(), TEXT_BYTES_MAX).into(),
            key: Box::default(),
            attrs: Object::new(ATTRS_BYTES_MAX),
            parent: scope::current(),
        }
    }
}
