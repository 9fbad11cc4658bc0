//! The complete list of settings. One line of meaning each, shown by `bridge setting list`.
//!
//! Names and defaults are those of the wire contract where it has them.

use std::time::Duration;

use super::model::{Capture, Key, Setting};

/// Longest span a setting takes: 30 days, in milliseconds.
const MONTH_MS: i64 = 2_592_000_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $setting:expr;)+) => {
        $(
            $(#[doc = $doc])+
            pub const $name: Key<$type> = Key::new(&$setting.documented(concat!($($doc),+)));
        )+

        /// Every setting, by section.
        pub const ALL: &[&Setting] = &[$($name.setting),+];
    };
}

const fn millis(key: &'static str, default: i64, min: i64, max: i64) -> Setting {
    Setting::integer(key, "ms", default, (min, max))
}

const fn space(key: &'static str, default: i64) -> Setting {
    Setting::integer(key, "bytes", default, (16 * MIB, 1_024 * GIB * 1_024))
}

settings! {
    /// Port of the gRPC endpoint that services use.
    GRPC_PORT: u16 = Setting::integer("network.grpc_port", "", 14_445, (0, 65_535)).at_restart();
    /// Port of the web console and its HTTP API.
    UI_PORT: u16 = Setting::integer("network.ui_port", "", 14_444, (0, 65_535)).at_restart();
    /// Port of health, Prometheus metrics, OTLP and Loki.
    OBSEXPORT_PORT: u16 =
        Setting::integer("network.obsexport_port", "", 14_446, (0, 65_535)).at_restart();
    /// Connections on the gRPC port at the same time; further ones are closed at once.
    MAX_CONNECTIONS: usize =
        Setting::integer("network.max_connections", "connections", 10_000, (16, 1_000_000));
    /// Time a new connection has to finish its TLS handshake.
    HANDSHAKE_TIMEOUT: Duration = millis("network.handshake_timeout_ms", 10_000, 100, 120_000);
    /// Silence on a connection after which the runtime pings it.
    KEEPALIVE_INTERVAL: Duration = millis("network.keepalive_interval_ms", 5_000, 100, HOUR_MS);
    /// Time a ping may stay unanswered before the connection counts as broken.
    KEEPALIVE_TIMEOUT: Duration = millis("network.keepalive_timeout_ms", 5_000, 100, HOUR_MS);

    /// Time after a login until the console asks for the password again, however much it is used.
    CONSOLE_SESSION_TTL: Duration =
        millis("console.session_ttl_ms", 12 * HOUR_MS, 1_000, MONTH_MS);
    /// Time a login lasts without being used.
    CONSOLE_SESSION_IDLE: Duration =
        millis("console.session_idle_ms", 2 * HOUR_MS, 1_000, MONTH_MS);

    /// Validity of an instance's certificate; services renew 25 to 30 minutes before its end.
    LEAF_LIFETIME: Duration =
        millis("identity.leaf_lifetime_ms", HOUR_MS, 35 * 60_000 + 1, 24 * DAY_MS - 1);

    /// Time a restarted runtime serves stored registrations while their instances come back.
    RESTART_GRACE: Duration = millis("registry.restart_grace_ms", 20_000, 0, HOUR_MS);
    /// Time between an instance's last stream and its removal from every view.
    DISCONNECT_GRACE: Duration = millis("registry.disconnect_grace_ms", 2_000, 0, HOUR_MS);

    /// Age at which rows of methods nobody registers any more are swept. Read once such rows are
    /// kept.
    REGISTRY_GC_RETENTION_DAYS: u16 =
        Setting::integer("registry.gc_retention_days", "days", 30, (1, 3_650));

    /// Which payloads of RPC operations services capture.
    RPC_CAPTURE: Capture = Setting::capture("rpc.payload_capture", Capture::Errors);
    /// How long the result of a proxied RPC with an idempotency key answers repeats.
    RPC_IDEMPOTENCY_TTL: Duration =
        millis("rpc.idempotency_rpc_ttl_ms", 300_000, 1_000, MONTH_MS);
    /// Claims and outcomes of idempotent work that are kept; beyond it new work is refused.
    OUTCOMES_ENTRIES_MAX: usize =
        Setting::integer("outcomes.entries_max", "outcomes", 1_000_000, (1, 1_000_000_000));
    /// Space for outcomes of idempotent work, roughly; beyond it new work is refused. From three
    /// quarters of it on only that work was done is kept, and not what came of it.
    OUTCOMES_BYTES_MAX: u64 = space("outcomes.bytes_max", GIB);
    /// Part of the room for outcomes that one service may have: alone up to this part of all of it,
    /// and less the more others have, so that there is always some for one more. 100 lets one
    /// service take everything.
    OUTCOMES_OWNER_SHARE: u16 =
        Setting::integer("outcomes.owner_share_percent", "percent", 75, (1, 100));
    /// Largest outcome that is kept; of a larger one only that the work was done.
    OUTCOMES_BODY_BYTES_MAX: usize =
        Setting::integer("outcomes.body_bytes_max", "bytes", MIB, (0, 4 * MIB));
    /// Which payloads of HTTP operations services capture.
    HTTP_CAPTURE: Capture = Setting::capture("http.payload_capture", Capture::Errors);
    /// How long a publisher's idempotency key is remembered. Read once events are served.
    RPC_IDEMPOTENCY_EVENT_TTL: Duration =
        millis("rpc.idempotency_event_ttl_ms", DAY_MS, 1_000, MONTH_MS);
    /// Time a subscriber has to answer a delivery. Read once events are served.
    EVENTS_VISIBILITY_TIMEOUT: Duration =
        millis("events.visibility_timeout_ms", 30_000, 100, DAY_MS);
    /// Attempts before a delivery becomes a dead letter. Read once events are served.
    EVENTS_MAX_ATTEMPTS: u16 =
        Setting::integer("events.max_attempts", "attempts", 5, (1, 1_000));
    /// How long dead letters are kept. Read once events are served.
    EVENTS_DLQ_RETENTION: Duration =
        millis("events.dlq_retention_ms", MONTH_MS, 60_000, 3_650 * DAY_MS);
    /// Time a subscriber may be away before its deliveries are dead letters. Read once events are
    /// served.
    EVENTS_OFFLINE_DLQ_AFTER: Duration =
        millis("events.offline_dlq_after_ms", 3 * DAY_MS, 1_000, 3_650 * DAY_MS);
    /// Deliveries that may wait for one subscriber. Read once events are served.
    EVENTS_MAX_PENDING: usize = Setting::integer(
        "events.max_pending_per_subscriber",
        "deliveries",
        1_000_000,
        (1, 1_000_000_000),
    );
    /// Which payloads of event operations services capture.
    EVENTS_CAPTURE: Capture = Setting::capture("events.payload_capture", Capture::Errors);
    /// Which payloads of workflow operations services capture.
    WORKFLOWS_CAPTURE: Capture = Setting::capture("workflows.payload_capture", Capture::Errors);

    /// Jobs one service may declare. Read once jobs are served.
    JOBS_MAX_PER_SERVICE: usize =
        Setting::integer("jobs.max_per_service", "jobs", 100, (1, 100_000));
    /// Shortest interval of a job. Read once jobs are served.
    JOBS_MIN_INTERVAL: Duration = millis("jobs.min_interval_ms", 100, 1, DAY_MS);
    /// Executions of one job at the same time. Read once jobs are served.
    JOBS_MAX_CONCURRENT_PER_JOB: usize =
        Setting::integer("jobs.max_concurrent_per_job", "executions", 1, (1, 10_000));
    /// Registrations of jobs per service and minute. Read once jobs are served.
    JOBS_REGISTER_RATE: usize =
        Setting::integer("jobs.register_rate_per_min", "registrations", 10, (1, 100_000));
    /// Missed firings that one recovery makes up for. Read once jobs are served.
    JOBS_CATCHUP_BUDGET: usize =
        Setting::integer("jobs.catchup_budget", "firings", 50_000, (0, 10_000_000));
    /// Missed firings of one job that a recovery makes up for. Read once jobs are served.
    JOBS_CATCHUP_PER_JOB: usize =
        Setting::integer("jobs.catchup_per_job", "firings", 10_000, (0, 10_000_000));
    /// Rhythm of a worker's heartbeat. Read once jobs are served.
    JOBS_HEARTBEAT_INTERVAL: Duration = millis("jobs.heartbeat_interval_ms", 5_000, 100, HOUR_MS);
    /// Silence after which a worker's executions are taken back. Read once jobs are served.
    JOBS_HEARTBEAT_TIMEOUT: Duration = millis("jobs.heartbeat_timeout_ms", 15_000, 100, DAY_MS);

    /// Whether services report operations at all.
    TELEMETRY_ENABLE: bool = Setting::switch("telemetry.enable", true);
    /// Largest payload a service captures per direction; longer ones are cut.
    TELEMETRY_PAYLOAD_BYTES_MAX: i32 =
        Setting::integer("telemetry.payload_max_bytes", "bytes", 65_536, (0, 1_048_576));
    /// Parts of field names whose values are masked in captured payloads, whatever the case; `_` and
    /// `-` do not count.
    TELEMETRY_MASK_KEYS: Vec<String> = Setting::words(
        "telemetry.mask_keys",
        "password,secret,token,authorization,api_key,cookie",
    );
    /// Age at which traces are deleted; in slices of a twelfth of it.
    TELEMETRY_OPS_RETENTION: Duration =
        millis("telemetry.ops_retention_ms", 7 * DAY_MS, 60_000, 3_650 * DAY_MS);
    /// Age at which log lines are deleted; in slices of a twelfth of it.
    TELEMETRY_LOGS_RETENTION: Duration =
        millis("telemetry.logs_retention_ms", 3 * DAY_MS, 60_000, 3_650 * DAY_MS);
    /// Age at which points of metrics are deleted; in slices of a twelfth of it.
    TELEMETRY_METRICS_RETENTION: Duration =
        millis("telemetry.metrics_retention_ms", 14 * DAY_MS, 60_000, 3_650 * DAY_MS);
    /// Age at which payloads are deleted; in slices of a twelfth of it.
    TELEMETRY_PAYLOAD_RETENTION: Duration =
        millis("telemetry.payload_retention_ms", 3 * DAY_MS, 60_000, 3_650 * DAY_MS);
    /// Space for traces; the oldest slices go when there is more.
    TELEMETRY_OPS_BYTES_MAX: u64 = space("telemetry.ops_bytes_max", 4 * GIB);
    /// Space for log lines; the oldest slices go when there is more.
    TELEMETRY_LOGS_BYTES_MAX: u64 = space("telemetry.logs_bytes_max", GIB);
    /// Space for points of metrics; the oldest slices go when there is more.
    TELEMETRY_METRICS_BYTES_MAX: u64 = space("telemetry.metrics_bytes_max", GIB / 2);
    /// Space for payloads; the oldest slices go when there is more.
    TELEMETRY_PAYLOAD_BYTES_TOTAL_MAX: u64 = space("telemetry.payload_bytes_total_max", GIB);
    /// Time after an instance disappeared until its unfinished operations count as abandoned.
    TELEMETRY_ABANDON_AFTER: Duration = millis("telemetry.abandon_after_ms", 30_000, 0, DAY_MS);
    /// Whether certificates of ordinary services may query traces.
    SERVICES_MAY_QUERY: bool = Setting::switch("telemetry.services_may_query", false);
}
