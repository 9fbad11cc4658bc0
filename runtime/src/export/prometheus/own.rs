//! The runtime's own families: what it is, how it does, how full its bounds are.
//!
//! Refuses to fail with the database: what the store does not say in time is left out, and
//! `bridge_database_up` says so.

use std::time::Duration;

use contract::clock::{Clock, Monotonic, Timestamp};
use contract::ids::ServiceId;

use super::process::Process;
use super::text::{Family, Kind, Sample, Value};
use crate::db::{CommitLatency, Db};
use crate::export::otlp::Otlp;
use crate::identity::Presence;
use crate::outcomes::{Held, Outcomes};
use crate::registry::Registry;
use crate::tasks::Tasks;
use crate::telemetry::Telemetry;

/// Longest wait for the store to say how large it is.
const STORE_PATIENCE: Duration = Duration::from_secs(2);

/// What the runtime is made of, as far as it is measured.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) started: (Timestamp, Monotonic),
    pub(super) presence: Presence,
    pub(super) registry: Registry,
    pub(super) outcomes: Outcomes,
    pub(super) telemetry: Telemetry,
    pub(super) tasks: Tasks,
    pub(super) otlp: Otlp,
}

/// Collects families.
#[derive(Debug, Default)]
struct Families(Vec<Family>);

impl Families {
    fn add<'l>(
        &mut self,
        (name, kind): (&str, Kind),
        help: &str,
        samples: impl IntoIterator<Item = (&'l [(&'l str, &'l str)], f64)>,
    ) {
        let label = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let sample = |(labels, value): (&[(&str, &str)], f64)| Sample {
            labels: labels.iter().map(label).collect(),
            value: Value::Number(value),
        };
        self.0.push(Family {
            name: name.to_owned(),
            kind,
            help: help.to_owned(),
            samples: samples.into_iter().map(sample).collect(),
        });
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.add((name, Kind::Gauge), help, [(&[][..], value)]);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.add((name, Kind::Counter), help, [(&[][..], float(value))]);
    }
}

/// Counts as every scraper has them.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the last digits go")]
fn float(count: u64) -> f64 {
    count as f64
}

fn size(count: usize) -> f64 {
    float(count as u64)
}

/// Every family of the runtime's own.
pub(super) async fn families(parts: &Parts) -> Vec<Family> {
    let mut all = Families::default();
    process(parts, &mut all);
    services(parts, &mut all);
    outcomes(parts, &mut all);
    telemetry(parts, &mut all);
    tasks(parts, &mut all);
    database(parts, &mut all).await;
    all.0
}

fn process(parts: &Parts, all: &mut Families) {
    let version: &[_] = &[("version", env!("CARGO_PKG_VERSION"))];
    let help = "The runtime's version; always 1.";
    all.add(("bridge_build_info", Kind::Gauge), help, [(version, 1.0)]);
    let up = parts.clock.monotonic().since(parts.started.1).as_secs_f64();
    all.gauge(
        "bridge_uptime_seconds",
        "Time since the runtime started.",
        up,
    );
    let now = Process::now();
    let help = "Processor time that the runtime used.";
    let cpu = [(&[][..], now.cpu_seconds)];
    all.add(("process_cpu_seconds", Kind::Counter), help, cpu);
    let started = float(u64::try_from(parts.started.0.as_millis()).unwrap_or(0)) / 1e3;
    let help = "When the runtime started, seconds since the Unix epoch.";
    all.gauge("process_start_time_seconds", help, started);
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Memory in use.",
            now.resident_bytes,
        ),
        ("process_open_fds", "Open files.", now.open_files),
        (
            "process_max_fds",
            "Most files that may be open.",
            now.files_max,
        ),
    ] {
        if let Some(value) = value {
            all.gauge(name, help, value);
        }
    }
}

fn services(parts: &Parts, all: &mut Families) {
    let (instances, watchers) = parts.registry.counts();
    let help = "Instances that are registered, returning ones included.";
    all.gauge("bridge_registered_instances", help, size(instances));
    let help = "Streams that follow the registry.";
    all.gauge("bridge_registry_watchers", help, size(watchers));
    let help = "Streams of services that are open.";
    all.gauge("bridge_sessions", help, size(parts.presence.count()));
}

fn outcomes(parts: &Parts, all: &mut Families) {
    let now = parts.outcomes.counts();
    let help = "Claims and outcomes of idempotent work that are kept.";
    all.gauge("bridge_outcomes", help, float(now.all.entries));
    let help = "What they take, roughly.";
    all.gauge("bridge_outcomes_bytes", help, float(now.all.bytes));
    let help = "Most of them that may be kept.";
    all.gauge("bridge_outcomes_max", help, float(now.max.entries));
    let help = "What they may take, roughly; bodies are kept up to three quarters of it.";
    all.gauge("bridge_outcomes_bytes_max", help, float(now.max.bytes));
    let service = |(id, held): &(ServiceId, Held)| {
        let name = parts.registry.service_name(*id);
        (name.unwrap_or_else(|| id.to_string()), *held)
    };
    let largest: Vec<_> = now.largest.iter().map(service).collect();
    let labels: Vec<_> = largest
        .iter()
        .map(|(name, _)| [("service", &**name)])
        .collect();
    let help = "Claims and outcomes of the services that have the most of them.";
    let name = ("bridge_outcomes_of_service", Kind::Gauge);
    let samples = labels.iter().zip(&largest);
    let samples = samples.map(|(label, (_, held))| (&label[..], float(held.entries)));
    all.add(name, help, samples);
    let help = "Calls that wait for the outcome of another one.";
    all.gauge("bridge_outcomes_waiting", help, float(now.waiting));
    for (name, help, count) in [
        (
            "bridge_outcomes_replayed",
            "Calls that were answered with what was kept.",
            now.replayed,
        ),
        (
            "bridge_outcomes_refused",
            "Calls that were refused because as much is kept as may be.",
            now.refused,
        ),
        (
            "bridge_outcomes_refused_share",
            "The part of them that was refused because the service had its share of the room.",
            now.refused_share,
        ),
        (
            "bridge_outcomes_bodies_left_out",
            "Outcomes that were too large to keep, or found no room.",
            now.bodies_left_out,
        ),
    ] {
        all.counter(name, help, count);
    }
}

fn telemetry(parts: &Parts, all: &mut Families) {
    let now = parts.telemetry.counters();
    all.counter(
        "bridge_telemetry_accepted_frames",
        "Frames of operations that were stored.",
        now.frames,
    );
    all.counter(
        "bridge_telemetry_refused_items",
        "Items that were dropped on purpose.",
        now.refused,
    );
    all.counter(
        "bridge_telemetry_turned_away_batches",
        "Batches that found the queue full and were to be sent again.",
        now.turned_away,
    );
    all.counter(
        "sb_telemetry_late_end_after_abandoned",
        "Operations that ended after they had been given up.",
        now.late_ends,
    );
    let help = "Reports that wait to be stored.";
    all.gauge("bridge_telemetry_queue_bytes", help, size(now.queue_bytes));
    let help = "0 below half of the queue, 1 up to nine tenths, 2 above.";
    all.gauge("bridge_telemetry_queue_level", help, f64::from(now.level));
    let flow = parts.telemetry.flow().counters();
    let help = "Kinds of operations that the live map tells apart.";
    all.gauge("bridge_flow_series", help, size(flow.keys));
    let help = "Operations that have begun and not ended.";
    all.gauge("bridge_flow_pending_operations", help, size(flow.pending));
    all.counter(
        "bridge_flow_forgotten_operations",
        "Operations that began and were forgotten before they ended.",
        flow.given_up,
    );
    all.counter(
        "bridge_flow_unjoined_ends",
        "Ends of operations whose beginning was not known.",
        flow.unjoined,
    );
    let help = "Followers of live operations.";
    all.gauge("bridge_flow_followers", help, size(flow.followers));
    let otlp = parts.otlp.counters();
    let help = "Spans, log records and points that came over OTLP and were taken.";
    all.counter("bridge_otlp_accepted_items", help, otlp.accepted);
    let help = "Spans, log records and points that came over OTLP and were refused.";
    all.counter("bridge_otlp_rejected_items", help, otlp.rejected);
    let totals = parts.telemetry.metrics().totals_counters();
    let help = "Series of services that a scrape shows.";
    all.gauge("bridge_export_series", help, size(totals.series));
    let help = "Lines that they make up; 100,000 at most.";
    all.gauge("bridge_export_samples", help, size(totals.samples));
    let help = "Points whose series a scrape has no room for.";
    all.counter("bridge_export_refused_points", help, totals.refused);
}

fn tasks(parts: &Parts, all: &mut Families) {
    let reports = parts.tasks.reports();
    let labels: Vec<_> = reports.iter().map(|it| [("task", it.name)]).collect();
    let of = |value: fn(&crate::tasks::TaskReport) -> f64| {
        let values = labels.iter().zip(&reports);
        values.map(move |(labels, it)| (&labels[..], value(it)))
    };
    let help = "How often a background task was started again.";
    let restarts = of(|it| f64::from(it.restarts));
    all.add(("bridge_task_restarts", Kind::Counter), help, restarts);
    let help = "Whether a background task runs.";
    let running = of(|it| f64::from(u8::from(it.running)));
    all.add(("bridge_task_running", Kind::Gauge), help, running);
}

async fn database(parts: &Parts, all: &mut Families) {
    let begun = parts.clock.monotonic();
    let described = parts
        .clock
        .timeout(STORE_PATIENCE, parts.db.describe())
        .await;
    let took = parts.clock.monotonic().since(begun);
    let described = described.ok().and_then(Result::ok);
    let help = "Whether the database answers.";
    let up = f64::from(u8::from(described.is_some()));
    all.gauge("bridge_database_up", help, up);
    commits(&parts.db, all);
    let Some(described) = described else { return };
    let help = "How long the database took to say how large it is.";
    all.gauge("bridge_database_answer_seconds", help, took.as_secs_f64());
    let labels: Vec<_> = described
        .stores
        .iter()
        .map(|it| [("store", it.store.name()), ("database", described.kind)])
        .collect();
    let sizes = labels.iter().zip(&described.stores);
    let sizes = sizes.map(|(labels, it)| (&labels[..], float(it.bytes)));
    all.add(
        ("bridge_database_size_bytes", Kind::Gauge),
        "Size on disk.",
        sizes,
    );
}

/// The part of an answer's time that a disk or a database server has.
fn commits(db: &Db, all: &mut Families) {
    let sample = |it: CommitLatency| Sample {
        labels: [("store", it.name), ("database", db.kind())]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        value: Value::Histogram(it.bounds_s, it.counts, it.sum_s),
    };
    all.0.push(Family {
        name: "bridge_database_commit_seconds".to_owned(),
        kind: Kind::Histogram,
        help: "How long commits took; those of the ledger are synced.".to_owned(),
        samples: db.commits().into_iter().map(sample).collect(),
    });
}
