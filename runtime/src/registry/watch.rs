//! One watcher: what it was sent, and the frames that bring it up to date.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use contract::grpc::v1;
use contract::grpc::v1::registry_event::Kind;
use contract::ids::{InstanceId, ServiceId};

use super::engine::Registry;
use super::model::{Registration, difference};
use super::state::{Signal, State};
use crate::policy;

/// The stream of frames for one registration. Dropping it stops the watching.
#[derive(Debug)]
pub struct Watcher {
    registry: Registry,
    id: u64,
    signal: Arc<Signal>,
    /// Names of the services it may see.
    scope: BTreeSet<String>,
    sent: HashMap<InstanceId, Sent>,
    links: LinkRows,
    modes: Option<v1::CaptureModes>,
    revocations_seen: u64,
    ready: VecDeque<v1::RegistryEvent>,
}

/// What the watcher knows of one instance.
#[derive(Debug)]
struct Sent {
    service: ServiceId,
    revision: u64,
    info: v1::ServiceInstanceInfo,
    rows: Vec<v1::MethodDescriptor>,
}

/// Rows that only a snapshot can change.
#[derive(Debug, Default, PartialEq)]
struct LinkRows {
    subscriptions: Vec<v1::EventSubscriptionDescriptor>,
    calls: Vec<v1::OutgoingCallDescriptor>,
}

impl Watcher {
    pub(super) fn new(registry: &Registry, scope: BTreeSet<String>) -> Self {
        let (id, signal) = registry.state().watch(&scope);
        let mut watcher = Self {
            registry: registry.clone(),
            id,
            signal,
            scope,
            sent: HashMap::new(),
            links: LinkRows::default(),
            modes: None,
            revocations_seen: 0,
            ready: VecDeque::new(),
        };
        watcher.resend_all();
        watcher
    }

    /// The next frame. The first is a snapshot and ready at once; later ones wait for a change.
    /// Cancel safe.
    pub async fn next(&mut self) -> v1::RegistryEvent {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            self.signal.notify.notified().await;
            self.catch_up();
        }
    }

    /// A snapshot, and the revocations that a snapshot cannot carry.
    fn resend_all(&mut self) {
        let registry = self.registry.clone();
        let modes = registry.capture_modes();
        let state = registry.state();
        self.signal.dirty.lock().clear();
        self.sent = self
            .scope
            .iter()
            .filter_map(|name| state.names.get(name))
            .flat_map(|service| state.of_service(*service))
            .map(|registration| (registration.instance, sent(&state, registration)))
            .collect();
        self.links = self.link_rows(&state);
        let snapshot = v1::RegistrySnapshot {
            methods: self
                .sent
                .values()
                .flat_map(|it| it.rows.iter().cloned())
                .collect(),
            instances: self.sent.values().map(|it| it.info.clone()).collect(),
            event_subscriptions: self.links.subscriptions.clone(),
            outgoing_calls: self.links.calls.clone(),
            policy: Some(policy::evaluate()),
            capture_modes: Some(modes),
        };
        self.modes = Some(modes);
        self.ready.push_back(v1::RegistryEvent {
            kind: Some(Kind::Snapshot(snapshot)),
        });
        // A watcher that was away may have missed the frame of a revocation.
        self.revocations_seen = 0;
        self.push_revocations(&state);
    }

    fn catch_up(&mut self) {
        let registry = self.registry.clone();
        let modes = registry.capture_modes();
        let state = registry.state();
        self.push_revocations(&state);
        let dirty = std::mem::take(&mut *self.signal.dirty.lock());
        if !dirty.is_empty() && self.links != self.link_rows(&state) {
            drop(state);
            self.resend_all();
            return;
        }
        let mut update = v1::RegistryUpdate::default();
        for service in dirty {
            self.bring_up_to_date(&state, service, &mut update);
        }
        if self.modes != Some(modes) {
            self.modes = Some(modes);
            update.capture_modes = Some(modes);
        }
        if update != v1::RegistryUpdate::default() {
            self.ready.push_back(v1::RegistryEvent {
                kind: Some(Kind::Update(update)),
            });
        }
    }

    fn bring_up_to_date(
        &mut self,
        state: &State,
        service: ServiceId,
        update: &mut v1::RegistryUpdate,
    ) {
        let known_before = self.sent.values().any(|it| it.service == service);
        let present: BTreeSet<_> = state.of_service(service).map(|it| it.instance).collect();
        let gone: Vec<_> = self
            .sent
            .iter()
            .filter(|(id, it)| it.service == service && !present.contains(id))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            if let Some(it) = self.sent.remove(&id) {
                update.removed.extend(it.rows);
                update.removed_instances.push(it.info);
            }
        }
        for registration in state.of_service(service) {
            let old = self.sent.get(&registration.instance);
            if old.is_some_and(|old| old.revision == registration.revision) {
                continue;
            }
            let new = sent(state, registration);
            let (added, removed) = difference(old.map_or(&[], |old| &old.rows), &new.rows);
            update.added.extend(added);
            update.removed.extend(removed);
            if old.is_none_or(|old| old.info != new.info) {
                update.added_instances.push(new.info.clone());
            }
            self.sent.insert(registration.instance, new);
        }
        if !known_before && !present.is_empty() {
            update.added_peers.push(service.to_string());
        }
    }

    /// Revocations go in a frame of their own, before the removals that follow from them: within
    /// one frame an SDK applies removals first and would forget which instances it must refuse.
    fn push_revocations(&mut self, state: &State) {
        let new: Vec<_> = state
            .revocations
            .iter()
            .filter(|it| it.number > self.revocations_seen)
            .collect();
        let Some(last) = new.last() else { return };
        self.revocations_seen = last.number;
        let update = v1::RegistryUpdate {
            revoked_services: new.iter().map(|it| it.service.to_string()).collect(),
            ..Default::default()
        };
        self.ready.push_back(v1::RegistryEvent {
            kind: Some(Kind::Update(update)),
        });
    }

    fn link_rows(&self, state: &State) -> LinkRows {
        let mut rows = LinkRows::default();
        for service in self.scope.iter().filter_map(|name| state.names.get(name)) {
            let name = state
                .services
                .get(service)
                .map(|it| it.name.as_str())
                .unwrap_or_default();
            for registration in state.of_service(*service) {
                let id = registration.service.to_string();
                rows.subscriptions
                    .extend(registration.request.event_subscriptions.iter().map(|it| {
                        v1::EventSubscriptionDescriptor {
                            service_id: id.clone(),
                            service_name: name.to_owned(),
                            pattern: it.pattern.clone(),
                            filter: it.filter.clone(),
                        }
                    }));
                rows.calls
                    .extend(registration.request.outgoing.iter().filter_map(|it| {
                        let target = state.names.get(&it.service_name)?;
                        self.scope
                            .contains(&it.service_name)
                            .then(|| v1::OutgoingCallDescriptor {
                                caller_service_id: id.clone(),
                                target_service_id: target.to_string(),
                                target_method: it.method_name.clone(),
                                target_type: it.r#type,
                            })
                    }));
            }
        }
        rows.settle();
        rows
    }
}

impl LinkRows {
    /// Instances of one service declare the same; peers get each row once.
    fn settle(&mut self) {
        self.subscriptions
            .sort_by(|a, b| (&a.service_id, &a.pattern).cmp(&(&b.service_id, &b.pattern)));
        self.subscriptions
            .dedup_by(|a, b| a.service_id == b.service_id && a.pattern == b.pattern);
        let key = |it: &v1::OutgoingCallDescriptor| {
            let (caller, target) = (it.caller_service_id.clone(), it.target_service_id.clone());
            (caller, target, it.target_method.clone(), it.target_type)
        };
        self.calls.sort_by_key(key);
        self.calls.dedup();
    }
}

fn sent(state: &State, registration: &Registration) -> Sent {
    let name = state
        .services
        .get(&registration.service)
        .map(|it| it.name.as_str());
    let name = name.unwrap_or_default();
    Sent {
        service: registration.service,
        revision: registration.revision,
        info: registration.info(name),
        rows: registration.descriptors(name),
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.registry.state().unwatch(self.id, &self.scope);
    }
}
