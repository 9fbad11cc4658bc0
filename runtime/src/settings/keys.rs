//! The complete list of settings. One line of meaning each, shown by `bridge setting list`.
//!
//! Names and defaults are those of the wire contract where it has them.

use std::time::Duration;

use super::model::{Capture, Key, Setting};

/// Longest span a setting takes: 30 days, in milliseconds.
const MONTH_MS: i64 = 2_592_000_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

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

settings! {
    /// Port of the gRPC endpoint that services use.
    GRPC_PORT: u16 = Setting::integer("network.grpc_port", "", 14_445, (0, 65_535)).at_restart();
    /// Port of the web console and REST API.
    UI_PORT: u16 = Setting::integer("network.ui_port", "", 14_444, (0, 65_535)).at_restart();
    /// Port of /healthz, /readyz and metrics.
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

    /// Validity of an instance's certificate; services renew 25 to 30 minutes before its end.
    LEAF_LIFETIME: Duration =
        millis("identity.leaf_lifetime_ms", HOUR_MS, 35 * 60_000 + 1, 24 * DAY_MS - 1);

    /// Time a restarted runtime serves stored registrations while their instances come back.
    RESTART_GRACE: Duration = millis("registry.restart_grace_ms", 20_000, 0, HOUR_MS);
    /// Time between an instance's last stream and its removal from every view.
    DISCONNECT_GRACE: Duration = millis("registry.disconnect_grace_ms", 2_000, 0, HOUR_MS);

    /// Which payloads of RPC operations services capture.
    RPC_CAPTURE: Capture = Setting::capture("rpc.payload_capture", Capture::Errors);
    /// How long the result of an RPC with an idempotency key answers repeats.
    RPC_IDEMPOTENCY_TTL: Duration =
        millis("rpc.idempotency_rpc_ttl_ms", 300_000, 1_000, MONTH_MS);
    /// Which payloads of HTTP operations services capture.
    HTTP_CAPTURE: Capture = Setting::capture("http.payload_capture", Capture::Errors);
    /// Which payloads of event operations services capture.
    EVENTS_CAPTURE: Capture = Setting::capture("events.payload_capture", Capture::Errors);
    /// Which payloads of workflow operations services capture.
    WORKFLOWS_CAPTURE: Capture = Setting::capture("workflows.payload_capture", Capture::Errors);

    /// Whether services report operations at all.
    TELEMETRY_ENABLE: bool = Setting::switch("telemetry.enable", true);
    /// Largest payload a service captures per direction; longer ones are cut.
    TELEMETRY_PAYLOAD_BYTES_MAX: i32 =
        Setting::integer("telemetry.payload_max_bytes", "bytes", 65_536, (0, 1_048_576));
    /// Age at which a trace is deleted, counted from its start.
    TELEMETRY_OPS_RETENTION: Duration =
        millis("telemetry.ops_retention_ms", 7 * DAY_MS, 60_000, 3_650 * DAY_MS);
    /// Time after an instance disappeared until its unfinished operations count as abandoned.
    TELEMETRY_ABANDON_AFTER: Duration = millis("telemetry.abandon_after_ms", 30_000, 0, DAY_MS);
    /// Whether certificates of ordinary services may query traces.
    SERVICES_MAY_QUERY: bool = Setting::switch("telemetry.services_may_query", false);
}
