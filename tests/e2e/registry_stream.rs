//! The registry stream as an independent client sees it, frame by frame.

use std::time::Duration;

use contract::clock::Clock;
use contract::grpc::v1::control_client::ControlClient;
use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::registry_event::Kind;
use contract::grpc::v1::{
    CaptureMode, IncomingMethod, MethodType, OpenRequest, OutgoingDep, RegisterRequest,
    RegistryEvent, RegistrySnapshot, RegistryUpdate,
};
use tonic::{Code, Status, Streaming};

use crate::harness::{Member, World, on_both_databases};

const FRAME_MAX: Duration = Duration::from_secs(5);
/// Long enough for a frame that must not come to have come.
const QUIET: Duration = Duration::from_millis(800);

fn serves(endpoint: &str) -> RegisterRequest {
    RegisterRequest {
        incoming: vec![IncomingMethod {
            r#type: MethodType::Rpc as i32,
            name: "Echo".to_owned(),
            contract_hash: "v2:00".to_owned(),
            ..IncomingMethod::default()
        }],
        call_endpoint: endpoint.to_owned(),
        protocol_version: 1,
        sdk_language: "raw".to_owned(),
        ..RegisterRequest::default()
    }
}

fn calls(services: &[&str]) -> RegisterRequest {
    let dependency = |service: &&str| OutgoingDep {
        service_name: (*service).to_owned(),
        method_name: "Echo".to_owned(),
        r#type: MethodType::Rpc as i32,
    };
    RegisterRequest {
        outgoing: services.iter().map(dependency).collect(),
        protocol_version: 1,
        ..RegisterRequest::default()
    }
}

struct Watch(Streaming<RegistryEvent>);

impl Watch {
    async fn try_open(
        world: &World,
        member: &Member,
        request: RegisterRequest,
    ) -> Result<Self, Status> {
        let channel = member.runtime(&world.address()).await;
        let origin = channel.origin();
        let mut client = RegistryClient::with_origin(channel, origin);
        let frames = client.register_and_watch(request).await?;
        Ok(Self(frames.into_inner()))
    }

    /// Opens the stream and takes its first frame.
    async fn open(
        world: &World,
        member: &Member,
        request: RegisterRequest,
    ) -> (Self, RegistrySnapshot) {
        let mut watch = Self::try_open(world, member, request)
            .await
            .expect("registered");
        let Some(Kind::Snapshot(first)) = watch.frame().await else {
            panic!("the first frame is a snapshot");
        };
        (watch, first)
    }

    async fn frame(&mut self) -> Option<Kind> {
        let frame = Clock::system().timeout(FRAME_MAX, self.0.message()).await;
        frame
            .expect("a frame in time")
            .expect("no error")
            .expect("no end")
            .kind
    }

    async fn update(&mut self) -> RegistryUpdate {
        match self.frame().await {
            Some(Kind::Update(update)) => update,
            other => panic!("an update: {other:?}"),
        }
    }

    /// The first update that `wanted` holds for.
    async fn update_with(&mut self, wanted: impl Fn(&RegistryUpdate) -> bool) -> RegistryUpdate {
        loop {
            let update = self.update().await;
            if wanted(&update) {
                return update;
            }
        }
    }

    async fn assert_quiet(&mut self) {
        let frame = Clock::system().timeout(QUIET, self.0.message()).await;
        assert!(frame.is_err(), "an unexpected frame: {frame:?}");
    }
}

async fn member(world: &World, service: &str) -> Member {
    let key = world.key(service).await;
    Member::provision(&world.address(), &key).await
}

on_both_databases! {
    async fn the_first_frame_is_a_snapshot_and_shows_what_was_declared_only(world: World) {
        let (desk, hidden, orders) =
            (member(&world, "desk").await, member(&world, "hidden").await, member(&world, "orders").await);
        let later = member(&world, "later").await;
        let (_desk, own) = Watch::open(&world, &desk, serves("127.0.0.1:1")).await;
        assert_eq!(own.instances.len(), 1, "itself");
        let (_hidden, _) = Watch::open(&world, &hidden, serves("127.0.0.1:2")).await;
        let (mut orders, first) = Watch::open(&world, &orders, calls(&["desk", "later", "unborn"])).await;
        assert!(first.policy.is_some());
        let modes = first.capture_modes.expect("always said");
        assert_eq!(modes.rpc(), CaptureMode::Errors);
        assert!(modes.telemetry_enabled && modes.payload_max_bytes > 0);
        let names: Vec<_> = first.instances.iter().map(|it| &*it.service_name).collect();
        assert!(names.contains(&"desk") && !names.contains(&"hidden"), "{names:?}");
        let row = first.methods.iter().find(|it| it.service_name == "desk").expect("its method");
        assert_eq!((&*row.name, &*row.contract_hash), ("Echo", "v2:00"));
        assert_eq!(row.instance_id, desk.instance.to_string());

        let (_later, _) = Watch::open(&world, &later, serves("127.0.0.1:3")).await;
        let update = orders.update_with(|it| !it.added_instances.is_empty()).await;
        assert_eq!(update.added_instances[0].instance_id, later.instance.to_string());
        assert_eq!(update.added_peers, [later.service.to_string()]);
        assert_eq!(update.added[0].name, "Echo");
        assert!(update.capture_modes.is_none(), "only when they change");
        let (_hidden, _) = Watch::open(&world, &hidden, serves("127.0.0.1:4")).await;
        orders.assert_quiet().await;

        // A service that did not exist gives the dependency a target, which snapshots alone tell.
        let unborn = member(&world, "unborn").await;
        let (_unborn, _) = Watch::open(&world, &unborn, serves("127.0.0.1:5")).await;
        let Some(Kind::Snapshot(all)) = orders.frame().await else {
            panic!("a snapshot");
        };
        let ids: Vec<_> = all.instances.into_iter().map(|it| it.instance_id).collect();
        for shown in [&desk, &later, &unborn] {
            assert!(ids.contains(&shown.instance.to_string()), "{ids:?}");
        }
        assert!(!ids.contains(&hidden.instance.to_string()), "{ids:?}");
    }

    async fn a_changed_setting_reaches_every_watcher(world: World) {
        let orders = member(&world, "orders").await;
        let (mut orders, _) = Watch::open(&world, &orders, calls(&["desk"])).await;
        world.set("rpc.payload_capture", "all").await;
        let modes = orders.update().await.capture_modes.expect("the change");
        assert_eq!(modes.rpc(), CaptureMode::All);
        assert_eq!(modes.http(), CaptureMode::Errors, "the whole set comes along");
        world.reset("rpc.payload_capture").await;
        let modes = orders.update().await.capture_modes.expect("the change back");
        assert_eq!(modes.rpc(), CaptureMode::Errors);
    }

    async fn the_last_registration_of_an_instance_wins_without_a_gap(world: World) {
        let (desk, orders) = (member(&world, "desk").await, member(&world, "orders").await);
        let (old, _) = Watch::open(&world, &desk, serves("127.0.0.1:1")).await;
        let (mut orders, first) = Watch::open(&world, &orders, calls(&["desk"])).await;
        assert_eq!(first.instances.iter().filter(|it| it.service_name == "desk").count(), 1);
        // The new stream comes before the old one ends, as a stopping SDK does it.
        let (_new, _) = Watch::open(&world, &desk, serves("")).await;
        drop(old);
        let update = orders.update_with(|it| !it.added_instances.is_empty()).await;
        assert_eq!(update.added_instances[0].call_endpoint, "");
        assert_eq!(update.added_instances[0].instance_id, desk.instance.to_string());
        assert!(update.removed_instances.is_empty() && update.removed.is_empty());
        // The same once more, nothing new: nobody is bothered, and the late end removes nothing.
        let (newest, _) = Watch::open(&world, &desk, serves("")).await;
        drop(_new);
        world.clock.sleep(Duration::from_secs(3)).await;
        orders.assert_quiet().await;
        drop(newest);
        let update = orders.update_with(|it| !it.removed_instances.is_empty()).await;
        assert_eq!(update.removed_instances[0].instance_id, desk.instance.to_string());
        assert_eq!(update.removed[0].name, "Echo");
    }

    async fn a_revocation_is_told_before_the_removals_that_follow_from_it(world: World) {
        let (desk, orders) = (member(&world, "desk").await, member(&world, "orders").await);
        let (mut own, _) = Watch::open(&world, &desk, serves("127.0.0.1:1")).await;
        let (mut orders, _) = Watch::open(&world, &orders, calls(&["desk"])).await;
        world.revoke("desk").await;
        let first = orders.update().await;
        assert_eq!(first.revoked_services, [desk.service.to_string()]);
        assert!(first.removed_instances.is_empty() && first.removed.is_empty());
        let second = orders.update().await;
        assert_eq!(second.removed_instances[0].instance_id, desk.instance.to_string());
        let ended = loop {
            match Clock::system().timeout(FRAME_MAX, own.0.message()).await.expect("told") {
                Ok(frame) => assert!(frame.is_some(), "ends with a reason"),
                Err(status) => break status,
            }
        };
        assert_eq!(ended.code(), Code::PermissionDenied);
        let again = Watch::try_open(&world, &desk, serves("127.0.0.1:1")).await;
        assert_eq!(again.err().map(|it| it.code()), Some(Code::PermissionDenied));
    }

    async fn wrong_declarations_and_versions_are_refused_for_good(world: World) {
        let desk = member(&world, "desk").await;
        let mut twice = serves("127.0.0.1:1");
        twice.incoming.push(twice.incoming[0].clone());
        let mut nameless = serves("127.0.0.1:1");
        nameless.incoming[0].name.clear();
        for wrong in [twice, nameless, serves("nowhere"), serves("127.0.0.1:0"), calls(&[""])] {
            let refused = Watch::try_open(&world, &desk, wrong).await.err().expect("refused");
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
            assert!(!refused.message().is_empty());
        }
        for protocol_version in [0, 2] {
            let channel = desk.runtime(&world.address()).await;
            let origin = channel.origin();
            let open = OpenRequest { protocol_version, ..OpenRequest::default() };
            let refused = ControlClient::with_origin(channel, origin).open(open).await;
            let refused = refused.expect_err("refused");
            assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
        }
        let (_good, _) = Watch::open(&world, &desk, serves("127.0.0.1:1")).await;
    }
}
