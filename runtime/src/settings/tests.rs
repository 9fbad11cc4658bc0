//! What settings promise, on both databases.

use std::time::Duration;

use serde_json::json;

use super::keys::{self, ALL};
use super::{Capture, Settings, SettingsError, Value};
use crate::audit;
use crate::db::testing::{TestDb, on_both_databases};

async fn open(t: &TestDb) -> Settings {
    Settings::open(&t.db, &t.clock, &t.mint)
        .await
        .expect("opens")
}

on_both_databases! {
    async fn a_fresh_table_gives_the_defaults(t: TestDb) {
        let settings = open(&t).await;
        assert_eq!(settings.get(keys::RESTART_GRACE), Duration::from_secs(20));
        assert_eq!(settings.get(keys::GRPC_PORT), 14_445);
        assert_eq!(settings.get(keys::HTTP_CAPTURE), Capture::Errors);
        assert!(settings.get(keys::TELEMETRY_ENABLE));
        assert!(!settings.get(keys::SERVICES_MAY_QUERY));
        assert_eq!(settings.list().len(), ALL.len());
    }

    async fn a_change_is_live_audited_and_kept(t: TestDb) {
        let settings = open(&t).await;
        let mut watch = settings.watch();
        settings.set("rpc.payload_capture", "all", "ada").await.expect("sets");
        assert_eq!(settings.get(keys::RPC_CAPTURE), Capture::All);
        assert!(watch.has_changed().expect("alive"));
        watch.mark_unchanged();

        settings.set("rpc.payload_capture", "all", "ada").await.expect("sets the same again");
        assert!(!watch.has_changed().expect("alive"), "nothing changed");
        settings.reset("rpc.payload_capture", "bob").await.expect("resets");
        assert_eq!(settings.get(keys::RPC_CAPTURE), Capture::Errors);

        let trail = audit::list(&t.db, 10, None).await.expect("lists").entries;
        let told: Vec<_> =
            trail.iter().map(|it| (it.actor.as_str(), it.action.as_str(), &it.detail)).collect();
        let same = json!({ "from": "all", "to": "all" });
        let (first, last) = (json!({ "from": null, "to": "all" }), json!({ "from": "all", "to": null }));
        assert_eq!(told, [
            ("bob", "setting.reset", &last),
            ("ada", "setting.set", &same),
            ("ada", "setting.set", &first),
        ]);

        settings.set("telemetry.services_may_query", "true", "ada").await.expect("sets");
        assert!(open(&t).await.get(keys::SERVICES_MAY_QUERY), "kept over a restart");
    }

    async fn a_bad_value_is_refused_with_what_would_do(t: TestDb) {
        let settings = open(&t).await;
        for (key, value, says) in [
            ("identity.leaf_lifetime_ms", "2100000", "2100001 to 2073599999 ms"),
            ("identity.leaf_lifetime_ms", "soon", "2100001 to 2073599999 ms"),
            ("telemetry.enable", "yes", "true or false"),
            ("http.payload_capture", "some", "none, errors, all"),
            ("network.grpc_port", "65536", "0 to 65535"),
            ("telemetry.mask_keys", "pass word", "with commas between them"),
            ("telemetry.mask_keys", "token,,cookie", "with commas between them"),
        ] {
            let error = settings.set(key, value, "ada").await.expect_err("refused");
            let text = error.to_string();
            assert!(text.contains(key) && text.contains(value) && text.contains(says), "{text}");
        }
        let error = settings.set("no.such", "1", "ada").await.expect_err("refused");
        assert!(matches!(error, SettingsError::Unknown { .. }), "{error}");
        assert_eq!(audit::list(&t.db, 10, None).await.expect("lists").entries, []);
    }

    async fn a_list_of_words_is_stored_in_one_spelling(t: TestDb) {
        let settings = open(&t).await;
        assert!(settings.get(keys::TELEMETRY_MASK_KEYS).contains(&"api_key".to_owned()));
        settings.set("telemetry.mask_keys", " PIN , iban,pin", "ada").await.expect("sets");
        assert_eq!(settings.get(keys::TELEMETRY_MASK_KEYS), ["pin", "iban"]);
        settings.set("telemetry.mask_keys", "", "ada").await.expect("sets");
        assert_eq!(settings.get(keys::TELEMETRY_MASK_KEYS), Vec::<String>::new());
        let many: Vec<String> = (0..65).map(|at| format!("w{at}")).collect();
        let many = many.join(",");
        settings.set("telemetry.mask_keys", &many, "ada").await.expect_err("65 are too many");
        settings.set("telemetry.mask_keys", &"w".repeat(65), "ada").await.expect_err("too long");
        settings.set("telemetry.mask_keys", &"w".repeat(64), "ada").await.expect("64 will do");
    }

    async fn a_setting_that_needs_a_restart_waits_for_it(t: TestDb) {
        let settings = open(&t).await;
        settings.set("network.grpc_port", "15000", "ada").await.expect("sets");
        assert_eq!(settings.get(keys::GRPC_PORT), 14_445);
        let view = settings.list().into_iter().find(|it| it.setting.key == "network.grpc_port");
        assert_eq!(view.expect("listed").pending, Some(Value::Integer(15_000)));
        settings.refresh().await.expect("reads");
        assert_eq!(settings.get(keys::GRPC_PORT), 14_445);
        assert_eq!(open(&t).await.get(keys::GRPC_PORT), 15_000);
    }

    async fn seeding_fills_gaps_and_never_overwrites(t: TestDb) {
        let seed = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
        let settings = open(&t).await;
        settings.seed(&seed("network.grpc_port", "15000")).await.expect("seeds");
        assert_eq!(settings.get(keys::GRPC_PORT), 15_000, "a seed counts for this very start");
        settings.seed(&seed("network.grpc_port", "16000")).await.expect("seeds");
        assert_eq!(settings.get(keys::GRPC_PORT), 15_000);
        settings.seed(&seed("network.grpc_prot", "1")).await.expect_err("a typing error is said");
    }

    async fn a_change_by_another_process_is_picked_up(t: TestDb) {
        let (ours, theirs) = (open(&t).await, open(&t).await);
        theirs.set("registry.disconnect_grace_ms", "9", "ada").await.expect("sets");
        assert_eq!(ours.get(keys::DISCONNECT_GRACE), Duration::from_secs(2));
        assert!(ours.refresh().await.expect("reads"));
        assert_eq!(ours.get(keys::DISCONNECT_GRACE), Duration::from_millis(9));
        assert!(!ours.refresh().await.expect("reads"), "nothing new");
    }

    async fn what_is_not_understood_is_kept_and_reported(t: TestDb) {
        let settings = open(&t).await;
        let now = t.clock.now();
        t.db.write::<(), crate::db::DbError, _>(crate::db::Store::Ledger, "plant", move |conn| {
            Box::pin(async move {
                super::store::set(conn, "future.switch", "on", now).await?;
                super::store::set(conn, "network.grpc_port", "many", now).await
            })
        })
        .await
        .expect("plants");
        assert!(settings.refresh().await.expect("reads"));
        let ignored: Vec<_> = settings.ignored().into_iter().map(|(key, _)| key).collect();
        assert_eq!(ignored, ["future.switch", "network.grpc_port"]);
        assert_eq!(settings.get(keys::GRPC_PORT), 14_445);
    }
}

#[test]
fn every_setting_has_a_section_a_line_of_meaning_and_a_unit_in_its_name() {
    let mut seen = std::collections::BTreeSet::new();
    for setting in ALL {
        assert!(seen.insert(setting.key), "{} is listed twice", setting.key);
        assert!(!setting.section().is_empty(), "{}", setting.key);
        assert!(setting.doc.trim().len() > 20, "{}", setting.key);
        assert_eq!(
            setting.parse(&setting.default().to_string()),
            Some(setting.default())
        );
        let bounds = setting.bounds();
        assert_eq!(
            setting.key.ends_with("_ms"),
            bounds.ends_with(" ms"),
            "{}",
            setting.key
        );
    }
}

/// Reads a key at a value; panics when its type cannot hold it.
macro_rules! reads_at_its_bounds {
    ($($key:ident: $type:ty),+ $(,)?) => {
        #[test]
        fn every_key_reads_all_values_within_its_bounds() {
            use super::model::FromValue;
            let mut checked = 0;
            $(
                let key: super::Key<$type> = keys::$key;
                for text in key.setting.bounds().replace(" or ", " to ").replace(", ", " to ").split(" to ") {
                    let text = text.split(' ').next().expect("a word");
                    let value = key.setting.parse(text).expect("a bound is within the bounds");
                    assert!(<$type>::from_value(value).is_some(), "{} at {text}", key.name());
                }
                checked += 1;
            )+
            assert_eq!(checked, ALL.len(), "a key is missing from this list");
        }
    };
}

reads_at_its_bounds! {
    RPC_IDEMPOTENCY_EVENT_TTL: Duration,
    EVENTS_VISIBILITY_TIMEOUT: Duration,
    EVENTS_MAX_ATTEMPTS: u16,
    EVENTS_DLQ_RETENTION: Duration,
    EVENTS_OFFLINE_DLQ_AFTER: Duration,
    EVENTS_MAX_PENDING: usize,
    REGISTRY_GC_RETENTION_DAYS: u16,
    JOBS_MAX_PER_SERVICE: usize,
    JOBS_MIN_INTERVAL: Duration,
    JOBS_MAX_CONCURRENT_PER_JOB: usize,
    JOBS_REGISTER_RATE: usize,
    JOBS_CATCHUP_BUDGET: usize,
    JOBS_CATCHUP_PER_JOB: usize,
    JOBS_HEARTBEAT_INTERVAL: Duration,
    JOBS_HEARTBEAT_TIMEOUT: Duration,
    GRPC_PORT: u16,
    UI_PORT: u16,
    OBSEXPORT_PORT: u16,
    CONSOLE_SESSION_TTL: Duration,
    CONSOLE_SESSION_IDLE: Duration,
    MAX_CONNECTIONS: usize,
    HANDSHAKE_TIMEOUT: Duration,
    KEEPALIVE_INTERVAL: Duration,
    KEEPALIVE_TIMEOUT: Duration,
    LEAF_LIFETIME: Duration,
    RESTART_GRACE: Duration,
    DISCONNECT_GRACE: Duration,
    RPC_CAPTURE: Capture,
    RPC_IDEMPOTENCY_TTL: Duration,
    OUTCOMES_ENTRIES_MAX: usize,
    OUTCOMES_BYTES_MAX: u64,
    OUTCOMES_OWNER_SHARE: u16,
    OUTCOMES_BODY_BYTES_MAX: usize,
    HTTP_CAPTURE: Capture,
    EVENTS_CAPTURE: Capture,
    WORKFLOWS_CAPTURE: Capture,
    TELEMETRY_ENABLE: bool,
    TELEMETRY_PAYLOAD_BYTES_MAX: i32,
    TELEMETRY_MASK_KEYS: Vec<String>,
    TELEMETRY_OPS_RETENTION: Duration,
    TELEMETRY_LOGS_RETENTION: Duration,
    TELEMETRY_METRICS_RETENTION: Duration,
    TELEMETRY_PAYLOAD_RETENTION: Duration,
    TELEMETRY_OPS_BYTES_MAX: u64,
    TELEMETRY_LOGS_BYTES_MAX: u64,
    TELEMETRY_METRICS_BYTES_MAX: u64,
    TELEMETRY_PAYLOAD_BYTES_TOTAL_MAX: u64,
    TELEMETRY_ABANDON_AFTER: Duration,
    SERVICES_MAY_QUERY: bool,
}
