//! What the registry promises its watchers, on both databases, with time moved by hand.

use std::time::Duration;

use contract::clock::{Clock, ManualClock, Timestamp};
use contract::grpc::v1;
use contract::grpc::v1::registry_event::Kind;
use contract::ids::{IdMint, InstanceId, ServiceId};

use super::model::{self, Invalid};
use super::{Error, Registry, Watcher};
use crate::db::testing::{TestDb, on_both_databases};
use crate::identity::Presence;
use crate::settings::Settings;

/// How often, and at what rhythm, a test looks for what happens soon.
const LOOKS_MAX: u32 = 500;
const LOOK_EVERY: Duration = Duration::from_millis(20);

struct World {
    registry: Registry,
    presence: Presence,
    settings: Settings,
    hand: ManualClock,
    mint: IdMint,
    services: Vec<(ServiceId, String)>,
}

impl World {
    async fn new(t: &TestDb, names: &[&str]) -> Self {
        let services = names
            .iter()
            .map(|name| (ServiceId::mint(&t.mint), (*name).to_owned()))
            .collect();
        Self::with(t, services).await
    }

    /// As after a restart: same services, same store, empty memory.
    async fn with(t: &TestDb, services: Vec<(ServiceId, String)>) -> Self {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        let settings = Settings::open(&t.db, &t.clock, &t.mint)
            .await
            .expect("settings");
        let presence = Presence::new(&clock);
        let known = services.iter().map(|(id, name)| (*id, name.clone(), None));
        let registry = Registry::open(&t.db, &clock, &settings, &presence, known)
            .await
            .expect("opens");
        Self {
            registry,
            presence,
            settings,
            hand,
            mint: t.mint.clone(),
            services,
        }
    }

    fn id(&self, name: &str) -> ServiceId {
        self.services
            .iter()
            .find(|it| it.1 == name)
            .expect("a service of the test")
            .0
    }

    async fn join(&self, name: &str, request: v1::RegisterRequest) -> (InstanceId, Watcher) {
        let instance = InstanceId::mint(&self.mint);
        (
            instance,
            self.register(name, instance, request)
                .await
                .expect("registers"),
        )
    }

    async fn register(
        &self,
        name: &str,
        instance: InstanceId,
        request: v1::RegisterRequest,
    ) -> Result<Watcher, Error> {
        self.registry
            .register(self.id(name), instance, request)
            .await
    }
}

fn serves(method: &str) -> v1::RegisterRequest {
    v1::RegisterRequest {
        incoming: vec![v1::IncomingMethod {
            r#type: v1::MethodType::Rpc as i32,
            name: method.to_owned(),
            contract_hash: "v2:aa".to_owned(),
            ..Default::default()
        }],
        call_endpoint: "127.0.0.1:1".to_owned(),
        ..Default::default()
    }
}

fn calls(service: &str) -> v1::RegisterRequest {
    v1::RegisterRequest {
        outgoing: vec![v1::OutgoingDep {
            service_name: service.to_owned(),
            method_name: "M".to_owned(),
            r#type: v1::MethodType::Rpc as i32,
        }],
        ..Default::default()
    }
}

async fn snapshot(watcher: &mut Watcher) -> v1::RegistrySnapshot {
    match watcher.next().await.kind {
        Some(Kind::Snapshot(snapshot)) => snapshot,
        other => panic!("expected a snapshot, got {other:?}"),
    }
}

async fn update(watcher: &mut Watcher) -> v1::RegistryUpdate {
    match watcher.next().await.kind {
        Some(Kind::Update(update)) => update,
        other => panic!("expected an update, got {other:?}"),
    }
}

on_both_databases! {
    async fn the_first_frame_is_a_snapshot_with_policy_and_capture_modes(t: TestDb) {
        let world = World::new(&t, &["orders"]).await;
        let (instance, mut watcher) = world.join("orders", serves("Place")).await;
        let first = snapshot(&mut watcher).await;
        assert_eq!(first.policy.expect("set").capabilities.len(), 4);
        assert_eq!(first.capture_modes.expect("set").payload_max_bytes, 65_536);
        assert_eq!(first.instances[0].instance_id, instance.to_string());
        assert_eq!(first.methods[0].name, "Place");
    }

    async fn a_caller_sees_itself_and_what_it_declared_and_nothing_else(t: TestDb) {
        let world = World::new(&t, &["orders", "payments", "audit"]).await;
        let _payments = world.join("payments", serves("Charge")).await;
        let _audit = world.join("audit", serves("Note")).await;
        let (_, mut watcher) = world.join("orders", calls("payments")).await;
        let seen = snapshot(&mut watcher).await;
        let mut names: Vec<_> = seen.instances.iter().map(|it| it.service_name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["orders", "payments"]);
        assert_eq!(seen.outgoing_calls.len(), 1);
    }

    async fn a_dependency_that_registers_later_appears(t: TestDb) {
        let world = World::new(&t, &["orders", "payments"]).await;
        let (_, mut orders) = world.join("orders", calls("payments")).await;
        assert_eq!(snapshot(&mut orders).await.instances.len(), 1);
        let (instance, _payments) = world.join("payments", serves("Charge")).await;
        let news = update(&mut orders).await;
        assert_eq!(news.added_instances[0].instance_id, instance.to_string());
        assert_eq!(news.added[0].name, "Charge");
        assert_eq!(news.added_peers, [world.id("payments").to_string()]);
    }

    async fn a_changed_endpoint_comes_as_the_same_instance_without_a_flap(t: TestDb) {
        let world = World::new(&t, &["orders", "payments"]).await;
        let (instance, _first) = world.join("payments", serves("Charge")).await;
        let (_, mut orders) = world.join("orders", calls("payments")).await;
        snapshot(&mut orders).await;
        let withdrawn = v1::RegisterRequest { call_endpoint: String::new(), ..serves("Charge") };
        let _second = world.register("payments", instance, withdrawn).await.expect("registers");
        let news = update(&mut orders).await;
        assert_eq!(news.added_instances[0].instance_id, instance.to_string());
        assert_eq!(news.added_instances[0].call_endpoint, "");
        assert!(news.removed_instances.is_empty() && news.removed.is_empty() && news.added.is_empty());
    }

    async fn an_instance_without_links_goes_after_its_grace_and_not_before(t: TestDb) {
        let world = World::new(&t, &["orders", "payments"]).await;
        let (instance, _w) = world.join("payments", serves("Charge")).await;
        let (_, mut orders) = world.join("orders", calls("payments")).await;
        snapshot(&mut orders).await;
        let reaper = tokio::spawn(world.registry.clone().reap());
        drop(world.presence.link(world.id("payments"), instance));
        world.hand.advance(Duration::from_millis(1_999));
        tokio::task::yield_now().await;
        assert!(world.registry.is_registered(instance));
        while world.registry.is_registered(instance) {
            world.hand.advance(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
        let news = update(&mut orders).await;
        assert_eq!(news.removed_instances[0].instance_id, instance.to_string());
        assert_eq!(news.removed[0].name, "Charge");
        reaper.abort();
    }

    async fn a_restarted_runtime_serves_what_was_stored_until_nobody_confirms_it(t: TestDb) {
        let before = World::new(&t, &["orders", "payments"]).await;
        let (returning, _a) = before.join("payments", serves("Charge")).await;
        let (ghost, _b) = before.join("payments", serves("Charge")).await;

        let world = World::with(&t, before.services.clone()).await;
        let (_, mut orders) = world.join("orders", calls("payments")).await;
        assert_eq!(snapshot(&mut orders).await.instances.len(), 3, "early returners lose no peers");
        let _back = world.register("payments", returning, serves("Charge")).await.expect("registers");

        let reaper = tokio::spawn(world.registry.clone().reap());
        while world.registry.is_registered(ghost) {
            world.hand.advance(Duration::from_millis(500));
            tokio::task::yield_now().await;
        }
        assert!(world.registry.is_registered(returning));
        // The row goes soon after the memory; the reaper has to live until then.
        let mut next = World::with(&t, before.services.clone()).await;
        for _ in 0..LOOKS_MAX {
            if !next.registry.is_registered(ghost) {
                break;
            }
            t.clock.sleep(LOOK_EVERY).await;
            next = World::with(&t, before.services.clone()).await;
        }
        assert!(!next.registry.is_registered(ghost), "no ghost comes back after a restart");
        assert!(next.registry.is_registered(returning));
        reaper.abort();
    }

    async fn a_revocation_is_told_before_the_removals_that_follow(t: TestDb) {
        let world = World::new(&t, &["orders", "payments"]).await;
        let (instance, _w) = world.join("payments", serves("Charge")).await;
        let mut link = world.presence.link(world.id("payments"), instance);
        let (_, mut orders) = world.join("orders", calls("payments")).await;
        snapshot(&mut orders).await;
        world.registry.revoke(world.id("payments")).await;
        let first = update(&mut orders).await;
        assert_eq!(first.revoked_services, [world.id("payments").to_string()]);
        assert!(first.removed_instances.is_empty());
        let second = update(&mut orders).await;
        assert_eq!(second.removed_instances[0].instance_id, instance.to_string());
        assert_eq!(link.ended().await, crate::identity::Ending::Revoked);
        let refused = world.register("payments", instance, serves("Charge")).await;
        assert!(matches!(refused, Err(Error::Revoked(_))));
        let (_, mut late) = world.join("orders", calls("payments")).await;
        snapshot(&mut late).await;
        assert_eq!(update(&mut late).await.revoked_services.len(), 1, "said again after a snapshot");
    }

    async fn a_changed_setting_reaches_a_watcher_as_capture_modes_alone(t: TestDb) {
        let world = World::new(&t, &["orders"]).await;
        let (_, mut orders) = world.join("orders", serves("Place")).await;
        snapshot(&mut orders).await;
        let follower = tokio::spawn(world.registry.clone().follow_settings());
        tokio::task::yield_now().await;
        world.settings.set("rpc.payload_capture", "all", "ada").await.expect("sets");
        let news = update(&mut orders).await;
        assert_eq!(news.capture_modes.expect("set").rpc, v1::CaptureMode::All as i32);
        assert!(news.added.is_empty() && news.added_instances.is_empty());
        follower.abort();
    }

    async fn an_unreachable_instance_is_marked_and_the_mark_ends(t: TestDb) {
        let world = World::new(&t, &["payments"]).await;
        let (instance, mut payments) = world.join("payments", serves("Charge")).await;
        snapshot(&mut payments).await;
        world.registry.mark_unhealthy(instance);
        assert_ne!(update(&mut payments).await.added_instances[0].is_unhealthy_since_unix_ms, 0);
        let _link = world.presence.link(world.id("payments"), instance);
        let reaper = tokio::spawn(world.registry.clone().reap());
        let healed = async {
            loop {
                world.hand.advance(Duration::from_millis(500));
                tokio::task::yield_now().await;
                let map = world.registry.map();
                if map.services[0].instances[0].unhealthy_since_unix_ms == 0 {
                    return;
                }
            }
        };
        healed.await;
        assert_eq!(update(&mut payments).await.added_instances[0].is_unhealthy_since_unix_ms, 0);
        reaper.abort();
    }
}

#[test]
fn a_declaration_that_no_retry_can_mend_is_named() {
    let method = |kind: v1::MethodType, name: &str| v1::IncomingMethod {
        r#type: kind as i32,
        name: name.to_owned(),
        ..Default::default()
    };
    let with = |incoming| v1::RegisterRequest {
        incoming,
        ..Default::default()
    };
    let rpc = || method(v1::MethodType::Rpc, "Charge");
    assert_eq!(model::check(&with(vec![rpc()])), Ok(()));
    let twice = model::check(&with(vec![rpc(), rpc()]));
    assert_eq!(
        twice,
        Err(Invalid::Duplicate {
            kind: "rpc",
            name: "Charge".to_owned()
        })
    );
    let event = model::check(&with(vec![method(v1::MethodType::Event, "x")]));
    assert!(matches!(event, Err(Invalid::Kind { .. })));
    let old = model::check(&with(vec![method(v1::MethodType::Workflow, "w")]));
    assert_eq!(old, Err(Invalid::OldWorkflow("w".to_owned())));
    let nameless = model::check(&with(vec![method(v1::MethodType::Rpc, "")]));
    assert_eq!(nameless, Err(Invalid::Name { kind: "rpc" }));
    let most = vec![rpc(); model::DECLARATIONS_MAX + 1];
    assert_eq!(
        model::check(&with(most)),
        Err(Invalid::TooMany(model::DECLARATIONS_MAX + 1))
    );
}

#[test]
fn endpoints_and_patterns_are_checked_at_their_edges() {
    let endpoint = |text: &str| {
        let request = v1::RegisterRequest {
            call_endpoint: text.to_owned(),
            ..Default::default()
        };
        model::check(&request).is_ok()
    };
    for good in ["", "localhost:1", "::1:65535", "[::1]:80"] {
        assert!(endpoint(good), "{good}");
    }
    for bad in [
        "localhost",
        ":80",
        "localhost:0",
        "localhost:65536",
        "localhost:x",
    ] {
        assert!(!endpoint(bad), "{bad}");
    }
    let pattern = |text: &str| {
        let subscription = v1::EventSubscription {
            pattern: text.to_owned(),
            ..Default::default()
        };
        let request = v1::RegisterRequest {
            event_subscriptions: vec![subscription],
            ..Default::default()
        };
        model::check(&request).is_ok()
    };
    for good in ["user.*", "#", "a.#.b", "stock.*.low", "a-b_c.1"] {
        assert!(pattern(good), "{good}");
    }
    for bad in ["", "us*", "a..b", ".a", "A.b", "a.b ", &"a".repeat(256)] {
        assert!(!pattern(bad), "{bad}");
    }
}
