//! The registry's rules through its public face: frames in, routes and verdicts out.

use contract::clock::Timestamp;
use contract::grpc::v1::registry_event::Kind;
use contract::grpc::v1::{
    CaptureModes, MethodDescriptor, MethodType, PolicyEvaluation, PolicyRule, RegistrySnapshot,
    RegistryUpdate, ServiceInstanceInfo,
};
use contract::ids::{InstanceId, ServiceId};
use contract::tls::Peer;

use super::*;
use crate::handler::MethodMeta;

const SERVICE: &str = "0198c0de-0000-7000-8000-000000000001";
const OTHER: &str = "0198c0de-0000-7000-8000-000000000002";
const A: &str = "0198c0de-0000-7000-8000-00000000000a";
const B: &str = "0198c0de-0000-7000-8000-00000000000b";

static CHARGE: MethodMeta = MethodMeta {
    service: "shop.payments.v1.Payments",
    name: "Charge",
    contract_hash: "v2:1",
    input_schema: "{}",
    output_schema: "{}",
    streaming: false,
};

/// A registry with one dependency, `payments/Charge`, in slot 0.
pub(crate) fn registry() -> Registry {
    let (clock, _) = Clock::manual(Timestamp::from_millis(1_000_000));
    let dependency = Dependency {
        service: "payments".into(),
        method: &CHARGE,
    };
    Registry::new(vec![dependency], Arc::default(), clock)
}

fn method(instance: &str, hash: &str) -> MethodDescriptor {
    MethodDescriptor {
        service_name: "payments".into(),
        service_id: SERVICE.into(),
        instance_id: instance.into(),
        r#type: MethodType::Rpc as i32,
        name: "Charge".into(),
        contract_hash: hash.into(),
        ..MethodDescriptor::default()
    }
}

fn instance(id: &str, endpoint: &str) -> ServiceInstanceInfo {
    ServiceInstanceInfo {
        instance_id: id.into(),
        service_id: SERVICE.into(),
        service_name: "payments".into(),
        call_endpoint: endpoint.into(),
        ..ServiceInstanceInfo::default()
    }
}

pub(crate) fn snapshot(policy: PolicyEvaluation) -> RegistryEvent {
    let snapshot = RegistrySnapshot {
        methods: vec![method(A, "v2:1"), method(B, "v2:1")],
        instances: vec![instance(A, "127.0.0.1:1"), instance(B, "127.0.0.1:2")],
        policy: Some(policy),
        ..RegistrySnapshot::default()
    };
    RegistryEvent {
        kind: Some(Kind::Snapshot(snapshot)),
    }
}

fn update(update: RegistryUpdate) -> RegistryEvent {
    RegistryEvent {
        kind: Some(Kind::Update(update)),
    }
}

fn reachable(registry: &Registry) -> Vec<String> {
    let routes = registry.routes();
    let candidates = routes.slot(0).candidates.iter();
    let mut ids: Vec<_> = candidates
        .map(|it| it.instance.id.instance.to_string())
        .collect();
    ids.sort();
    ids
}

fn rule(action: &str, peer: &str, target: &str) -> PolicyRule {
    PolicyRule {
        action: action.into(),
        peer_service_id: peer.into(),
        target_name: target.into(),
        ..PolicyRule::default()
    }
}

fn service_peer(service: &str, instance: &str) -> Peer {
    let service: ServiceId = service.parse().unwrap();
    let instance: InstanceId = instance.parse().unwrap();
    Peer::Service { service, instance }
}

#[test]
fn only_instances_with_an_endpoint_and_the_same_hash_are_candidates() {
    let registry = registry();
    registry.apply(snapshot(PolicyEvaluation::default()));
    assert_eq!(reachable(&registry), [A, B]);
    registry.apply(update(RegistryUpdate {
        added: vec![method(A, "v2:other")],
        added_instances: vec![instance(B, "")],
        ..RegistryUpdate::default()
    }));
    assert!(reachable(&registry).is_empty());
    let routes = registry.routes();
    assert_eq!((routes.slot(0).serving, routes.slot(0).matching), (2, 1));
}

#[test]
fn a_removal_beside_an_addition_of_the_same_key_wins() {
    let registry = registry();
    registry.apply(snapshot(PolicyEvaluation::default()));
    registry.apply(update(RegistryUpdate {
        added: vec![method(A, "v2:1")],
        removed: vec![method(A, "")],
        added_instances: vec![instance(B, "127.0.0.1:3")],
        removed_instances: vec![instance(B, ""), instance("nobody", "")],
        ..RegistryUpdate::default()
    }));
    assert!(reachable(&registry).is_empty());
}

#[test]
fn a_peer_out_of_scope_takes_its_methods_and_instances_along() {
    let registry = registry();
    registry.apply(snapshot(PolicyEvaluation::default()));
    let gone = RegistryUpdate {
        removed_peers: vec![SERVICE.into()],
        ..RegistryUpdate::default()
    };
    registry.apply(update(gone));
    assert!(reachable(&registry).is_empty());
    assert_eq!(registry.routes().slot(0).serving, 0);
}

#[test]
fn a_later_snapshot_replaces_everything_but_the_revocations() {
    let registry = registry();
    registry.apply(snapshot(PolicyEvaluation::default()));
    let revoked = RegistryUpdate {
        revoked_instances: vec![A.into()],
        ..RegistryUpdate::default()
    };
    registry.apply(update(revoked));
    assert_eq!(reachable(&registry), [B]);
    registry.apply(snapshot(PolicyEvaluation::default()));
    assert_eq!(reachable(&registry), [B]);
    assert_eq!(
        registry.access().verdict(service_peer(SERVICE, A), "X"),
        Verdict::Revoked
    );
    assert_eq!(
        registry.access().verdict(service_peer(SERVICE, B), "X"),
        Verdict::Allowed
    );
}

#[test]
fn a_new_instance_lifts_the_revocation_of_its_service() {
    let registry = registry();
    registry.apply(snapshot(PolicyEvaluation::default()));
    let revoked = RegistryUpdate {
        revoked_services: vec![SERVICE.into()],
        ..RegistryUpdate::default()
    };
    registry.apply(update(revoked));
    assert!(reachable(&registry).is_empty());
    // The same instances again lift nothing.
    registry.apply(snapshot(PolicyEvaluation::default()));
    assert!(reachable(&registry).is_empty());
    let fresh = "0198c0de-0000-7000-8000-00000000000c";
    registry.apply(update(RegistryUpdate {
        added: vec![method(fresh, "v2:1")],
        added_instances: vec![instance(fresh, "127.0.0.1:9")],
        ..RegistryUpdate::default()
    }));
    assert!(reachable(&registry).contains(&fresh.to_owned()));
}

#[test]
fn a_revoked_or_departed_instance_is_disconnected_and_a_changed_one_is_kept() {
    let registry = registry();
    registry.apply(snapshot(PolicyEvaluation::default()));
    let before = registry.routes().slot(0).candidates.to_vec();
    let unhealthy = ServiceInstanceInfo {
        is_unhealthy_since_unix_ms: 5,
        ..instance(A, "127.0.0.1:1")
    };
    registry.apply(update(RegistryUpdate {
        added_instances: vec![unhealthy],
        removed_instances: vec![instance(B, "")],
        ..RegistryUpdate::default()
    }));
    let routes = registry.routes();
    let after = &routes.slot(0).candidates;
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].unhealthy_since_ms, 5);
    assert!(
        before
            .iter()
            .any(|it| Arc::ptr_eq(&it.instance, &after[0].instance))
    );
}

#[test]
fn nobody_is_accepted_before_the_first_snapshot() {
    let access = Access::default();
    assert_eq!(access.verdict(Peer::Runtime, "Charge"), Verdict::NotReady);
}

#[test]
fn the_first_acceptance_rule_makes_an_allow_list() {
    let registry = registry();
    registry.apply(snapshot(PolicyEvaluation::default()));
    assert_eq!(
        registry.access().verdict(Peer::Unknown, "Charge"),
        Verdict::Allowed
    );
    registry.apply(snapshot(PolicyEvaluation {
        acceptance: vec![
            rule("rpc.handle", OTHER, "Charge"),
            rule("event.handle", "", "#"),
        ],
        ..PolicyEvaluation::default()
    }));
    let access = registry.access();
    assert_eq!(
        access.verdict(Peer::Unknown, "Charge"),
        Verdict::Unidentified
    );
    assert_eq!(access.verdict(Peer::Runtime, "Charge"), Verdict::Allowed);
    assert_eq!(
        access.verdict(service_peer(OTHER, A), "Charge"),
        Verdict::Allowed
    );
    assert_eq!(
        access.verdict(service_peer(OTHER, A), "Refund"),
        Verdict::Denied
    );
    assert_eq!(
        access.verdict(service_peer(SERVICE, A), "Charge"),
        Verdict::Denied
    );
}

#[test]
fn our_own_egress_rules_mark_the_route() {
    let registry = registry();
    registry.apply(snapshot(PolicyEvaluation {
        egress: vec![rule("rpc.call", OTHER, "*")],
        ..PolicyEvaluation::default()
    }));
    assert!(registry.routes().slot(0).is_denied);
    registry.apply(snapshot(PolicyEvaluation {
        egress: vec![rule("rpc.call", SERVICE, "Charge")],
        ..PolicyEvaluation::default()
    }));
    assert!(!registry.routes().slot(0).is_denied);
}

#[test]
fn telemetry_is_switched_off_only_by_a_message_with_a_cap() {
    let registry = registry();
    let modes = |telemetry_enabled, payload_max_bytes| {
        let capture_modes = Some(CaptureModes {
            telemetry_enabled,
            payload_max_bytes,
            ..CaptureModes::default()
        });
        update(RegistryUpdate {
            capture_modes,
            ..RegistryUpdate::default()
        })
    };
    registry.apply(modes(false, 0));
    assert!(registry.telemetry_enabled());
    registry.apply(modes(false, 65_536));
    assert!(!registry.telemetry_enabled());
    registry.apply(update(RegistryUpdate::default()));
    assert!(!registry.telemetry_enabled());
    registry.apply(modes(true, 65_536));
    assert!(registry.telemetry_enabled());
}
