//! `tracing` as a source: existing events become log entries, existing spans operations.
//!
//! A span is an operation under the one its task works for; what happens inside of it hangs under
//! it. Nothing here waits: both go into rings that drop their oldest.
//!
//! Invariant: sending telemetry writes no telemetry. What the task that sends logs is left out,
//! and so is whatever is logged while a value is being formatted for us.

use bridge_tower::CallContext;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::ended::Ended;
use super::fields::Fields;
use super::log::{Entry, FIELDS_BYTES_MAX, Level, MESSAGE_BYTES_MAX};
use super::op::{Named, What};
use super::quiet::Quiet;
use super::running::Op;
use super::scope::spans::{self, Inside};
use super::user::{ATTRS_BYTES_MAX, TEXT_BYTES_MAX};
use super::value::{Object, cut};
use super::{Telemetry, scope};

/// What moves telemetry: detail of these would beget more of itself. From INFO on they are heard.
const CARRIERS: [&str; 8] = [
    "bridge",
    "bridge_tower",
    "contract",
    "h2",
    "hyper",
    "hyper_util",
    "rustls",
    "tonic",
];

/// Which spans and events become telemetry; see [`Telemetry::tracing`].
#[derive(Clone, Debug)]
#[must_use = "make a layer of it with `layer`"]
pub struct Tracing {
    telemetry: Telemetry,
    wanted: Wanted,
}

#[derive(Clone, Debug)]
struct Wanted {
    events: LevelFilter,
    spans: LevelFilter,
    without: Vec<String>,
}

impl Tracing {
    /// Events from this level on become log entries. Default: INFO. The wire knows no TRACE; such
    /// events are entries of level DEBUG.
    pub fn events(mut self, level: LevelFilter) -> Self {
        self.wanted.events = level;
        self
    }

    /// Spans from this level on become operations. Default: INFO.
    pub fn spans(mut self, level: LevelFilter) -> Self {
        self.wanted.spans = level;
        self
    }

    /// Leaves out the crate or module `target` with everything below it.
    pub fn without(mut self, target: impl Into<String>) -> Self {
        self.wanted.without.push(target.into());
        self
    }

    /// The layer, for `tracing_subscriber::registry().with(…)`. It filters for itself alone:
    /// other layers get what they got before.
    pub fn layer<S>(self) -> impl Layer<S> + Send + Sync
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        Reporting(self.telemetry).with_filter(self.wanted)
    }
}

impl Telemetry {
    /// Makes spans and events of `tracing` telemetry: events become log entries, spans operations.
    ///
    /// ```no_run
    /// # fn example(builder: &bridge::Builder) {
    /// use tracing_subscriber::prelude::*;
    ///
    /// tracing_subscriber::registry()
    ///     .with(builder.telemetry().tracing().without("sqlx").layer())
    ///     .init();
    /// # }
    /// ```
    pub fn tracing(&self) -> Tracing {
        Tracing {
            telemetry: self.clone(),
            wanted: Wanted {
                events: LevelFilter::INFO,
                spans: LevelFilter::INFO,
                without: Vec::new(),
            },
        }
    }
}

impl Wanted {
    fn has(&self, metadata: &Metadata<'_>) -> bool {
        let level = if metadata.is_span() {
            self.spans
        } else {
            self.events
        };
        let target = metadata.target();
        // A request is an operation already; its span is for other subscribers.
        let is_request = metadata.is_span() && target == bridge_tower::observe::SPAN_TARGET;
        !is_request
            && *metadata.level() <= level
            && (*metadata.level() <= tracing::Level::INFO
                || !CARRIERS.iter().any(|it| is_in(target, it)))
            && !self.without.iter().any(|it| is_in(target, it))
    }
}

/// Whether `target` is the module `parent` or inside of it.
fn is_in(target: &str, parent: &str) -> bool {
    let rest = target.strip_prefix(parent);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl<S> Filter<S> for Wanted {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.has(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.has(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.events.max(self.spans))
    }
}

/// The layer behind its filter.
#[derive(Debug)]
struct Reporting(Telemetry);

/// The operation that a span is.
struct SpanOp {
    op: Op,
    inside: Inside,
    attrs: Object,
    /// The message of an error that was logged directly inside.
    failed: Option<Box<str>>,
}

impl<S> Layer<S> for Reporting
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(_quiet) = Quiet::begin() else { return };
        let Some(span) = context.span(id) else { return };
        let mut attrs = Fields::new(ATTRS_BYTES_MAX);
        attributes.record(&mut attrs);
        let explicit = attributes.parent().and_then(|it| inside(&context, it));
        let task = bridge_tower::context::current();
        let task_op = task.as_ref().map(|it| it.trace.parent);
        let parent = match explicit {
            Some(inside) => Some(inside.context),
            None if attributes.is_root() => task,
            None => scope::current(),
        };
        let attrs = attrs.object;
        let op = self.0.start(parent.as_ref(), "dropped", || {
            What::User(Box::new(Named {
                subject: cut(span.name(), TEXT_BYTES_MAX).into(),
                key: Box::default(),
                attrs: attrs.finish().into(),
            }))
        });
        if !op.is_recorded() {
            return;
        }
        let inner = CallContext {
            trace: op.context(),
            ..parent.unwrap_or_else(|| CallContext::new(op.context()))
        };
        let span_op = SpanOp {
            op,
            inside: Inside {
                scope: task_op,
                context: inner,
            },
            attrs,
            failed: None,
        };
        span.extensions_mut().insert(span_op);
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        let Some(_quiet) = Quiet::begin() else { return };
        let Some(span) = context.span(id) else { return };
        let known = {
            let extensions = span.extensions();
            extensions.get::<SpanOp>().map(|it| it.attrs.clone())
        };
        // Formatted outside of the lock: a value's own code runs here.
        let Some(object) = known else { return };
        let mut fields = Fields::new(ATTRS_BYTES_MAX);
        fields.object = object;
        values.record(&mut fields);
        if let Some(span_op) = span.extensions_mut().get_mut::<SpanOp>() {
            span_op.attrs = fields.object;
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !self.0.is_enabled() {
            return;
        }
        let Some(_quiet) = Quiet::begin() else { return };
        let mut fields = Fields::new(FIELDS_BYTES_MAX);
        event.record(&mut fields);
        let metadata = event.metadata();
        let level = match *metadata.level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG | tracing::Level::TRACE => Level::Debug,
        };
        let message: Box<str> = if fields.message.is_empty() {
            metadata.name().into()
        } else {
            cut(&fields.message, MESSAGE_BYTES_MAX).into()
        };
        if level == Level::Error
            && let Some(span) = context.event_span(event)
            && let Some(span_op) = span.extensions_mut().get_mut::<SpanOp>()
        {
            span_op.failed = Some(cut(&message, TEXT_BYTES_MAX).into());
        }
        let explicit = event.parent().and_then(|it| inside(&context, it));
        let inside = explicit.map(|it| it.context).or_else(scope::current);
        fields.object.add_json("target", metadata.target());
        self.0.push_log(Entry {
            at: self.0.now(),
            level,
            message,
            fields: fields.object.finish().into(),
            context: inside.map(|it| it.trace),
        });
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(inside) = inside(&context, id) {
            spans::enter(id.into_u64(), inside);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        spans::exit(id.into_u64());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(span_op) = span.extensions_mut().remove::<SpanOp>() else {
            return;
        };
        let SpanOp {
            mut op,
            attrs,
            failed,
            ..
        } = span_op;
        let ended = if failed.is_some() {
            Ended::Error
        } else {
            Ended::Success
        };
        let message = || failed.unwrap_or_default();
        op.finish(ended, message, |record| record.attrs(attrs.finish().into()));
    }
}

fn inside<S>(context: &Context<'_, S>, span: &Id) -> Option<Inside>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let span = context.span(span)?;
    let extensions = span.extensions();
    extensions.get::<SpanOp>().map(|it| it.inside.clone())
}
