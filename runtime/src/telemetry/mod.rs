//! Traces: operations that services report, merged, stored and asked for.
//!
//! ```text
//!            START                END
//!  (nothing) ─────▶ PENDING ───────────────▶ SUCCESS · ERROR · TIMEOUT
//!      │               │ instance gone            ▲
//!      │               └────────────▶ ABANDONED ──┘ late END
//!      └────────────── END first ─────────────────┘ then START fills the blanks
//! ```
//!
//! Frames arrive at least once, START and END in any order; [`Operation::apply`] gives the
//! same operation. The actor of an operation is whoever's certificate reported it.
//!
//! Refuses frames that another service's operation would pay for, and kinds that only the runtime
//! writes. Oversized or broken JSON is replaced, never a reason to fail the stream.
//!
//! Invariants: a terminal operation never becomes pending again; a blank never replaces a value.

mod bounded;
mod model;
mod search;
mod query;
mod tree;
mod seen;
mod mask;
mod logs;
mod metrics;
mod payloads;
mod flow;
mod counters;
mod placement;
mod recent;
mod texts;
mod traces;
mod store;
mod merge;
mod engine;
mod ask;
mod history;
mod wire;
mod intake;
mod retention;
mod sweep;
mod report;
mod outside;
mod api;
#[cfg(test)]
mod tests;

pub use api::TelemetryApi;
pub use ask::{OPS_DEFAULT, OPS_MAX, TRACES_DEFAULT, TRACES_MAX};
pub use counters::Counters;
pub use engine::Telemetry;
pub use flow::{EdgeFlow, Ended, Flow, FlowCounters, FlowHistory, FlowSteps, Flows, Tally, Words};
pub use logs::{
    FIELDS_BYTES_MAX, LOGS_DEFAULT, LOGS_MAX, Level, LogCursor, LogEntry, LogFilter, LogLine, Logs,
    LogsIngested, LogsPage, Origin, log_words,
};
pub use mask::MaskKeys;
pub use metrics::{
    Histogram, MetricKind, MetricName, MetricQuery, MetricReport, MetricSample, MetricSeries,
    MetricTotal, Metrics, MetricsIngested, MetricsPage, POINTS_MAX, SAMPLES_MAX, SERIES_MAX,
    TotalsCounters,
};
pub use model::{
    ATTRS_BYTES_MAX, Actor, Channel, Frame, Ingested, META_BYTES_MAX, Operation, Status,
};
pub use outside::{Dropped, Outside, OutsideError};
pub use payloads::{
    Direction, Payload, PayloadReport, Payloads, PayloadsIngested, RAW_JSON, Rules,
};
pub use query::{Cursor, CursorError, TraceFilter, TracePage, TraceSummary, TracesPage};
pub use report::Reports;
pub use tree::{Branch, tree};
