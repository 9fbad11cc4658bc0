//! The registry's memory: services, registrations, and who watches whom. No waiting, no database.
//!
//! Invariant: `by_service` lists exactly the keys of `instances`, and `interest` exactly the
//! scopes of `watchers`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use contract::clock::Timestamp;
use contract::ids::{InstanceId, ServiceId};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::foreign::Foreigners;
use super::model::Registration;

/// Wakes one watcher and says where to look.
#[derive(Debug, Default)]
pub(super) struct Signal {
    pub(super) notify: Notify,
    pub(super) dirty: Mutex<HashSet<ServiceId>>,
}

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) revoked: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Revocation {
    pub(super) number: u64,
    pub(super) service: ServiceId,
    pub(super) at: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) services: HashMap<ServiceId, Service>,
    pub(super) names: HashMap<String, ServiceId>,
    pub(super) instances: HashMap<InstanceId, Registration>,
    pub(super) by_service: HashMap<ServiceId, BTreeSet<InstanceId>>,
    pub(super) revocations: Vec<Revocation>,
    /// Newest registration attempt of each instance; an older one that finishes later is dropped.
    pub(super) attempts: HashMap<InstanceId, u64>,
    pub(super) foreign: Foreigners,
    /// For whoever shows the whole registry.
    pub(super) changes: watch::Sender<u64>,
    watchers: HashMap<u64, Arc<Signal>>,
    interest: HashMap<String, HashSet<u64>>,
    next: u64,
}

impl State {
    /// A number that was not used before.
    pub(super) fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The latest of those numbers.
    pub(super) fn last_number(&self) -> u64 {
        self.next
    }

    pub(super) fn add_service(&mut self, id: ServiceId, name: &str) {
        self.names.insert(name.to_owned(), id);
        self.services.insert(
            id,
            Service {
                name: name.to_owned(),
                revoked: false,
            },
        );
        self.changes.send_replace(self.next);
    }

    pub(super) fn is_active(&self, service: ServiceId) -> bool {
        self.services.get(&service).is_some_and(|it| !it.revoked)
    }

    /// Instances of a service, in the order of their ids.
    pub(super) fn of_service(&self, service: ServiceId) -> impl Iterator<Item = &Registration> {
        let ids = self.by_service.get(&service).into_iter().flatten();
        ids.filter_map(|id| self.instances.get(id))
    }

    /// Puts a registration in place of the instance's earlier one and wakes who can see it.
    pub(super) fn put(&mut self, mut registration: Registration) {
        registration.revision = self.next_number();
        let (service, instance) = (registration.service, registration.instance);
        self.by_service.entry(service).or_default().insert(instance);
        self.instances.insert(instance, registration);
        self.mark(service);
    }

    /// Changes a registration in place and wakes who can see it.
    pub(super) fn touch(&mut self, instance: InstanceId, change: impl FnOnce(&mut Registration)) {
        let revision = self.next_number();
        let Some(registration) = self.instances.get_mut(&instance) else {
            return;
        };
        change(registration);
        registration.revision = revision;
        let service = registration.service;
        self.mark(service);
    }

    pub(super) fn remove(&mut self, instance: InstanceId) {
        let Some(gone) = self.instances.remove(&instance) else {
            return;
        };
        if let Some(ids) = self.by_service.get_mut(&gone.service) {
            ids.remove(&instance);
            if ids.is_empty() {
                self.by_service.remove(&gone.service);
            }
        }
        self.mark(gone.service);
    }

    pub(super) fn revoke(&mut self, service: ServiceId, at: Timestamp) {
        let number = self.next_number();
        if let Some(entry) = self.services.get_mut(&service) {
            entry.revoked = true;
        }
        self.revocations.push(Revocation {
            number,
            service,
            at,
        });
        let instances: Vec<_> = self
            .by_service
            .get(&service)
            .into_iter()
            .flatten()
            .copied()
            .collect();
        for instance in instances {
            self.remove(instance);
        }
        self.wake_all();
    }

    pub(super) fn watch(&mut self, scope: &BTreeSet<String>) -> (u64, Arc<Signal>) {
        let id = self.next_number();
        let signal = Arc::new(Signal::default());
        self.watchers.insert(id, signal.clone());
        for name in scope {
            self.interest.entry(name.clone()).or_default().insert(id);
        }
        (id, signal)
    }

    pub(super) fn unwatch(&mut self, id: u64, scope: &BTreeSet<String>) {
        self.watchers.remove(&id);
        for name in scope {
            if let Some(ids) = self.interest.get_mut(name) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.interest.remove(name);
                }
            }
        }
    }

    pub(super) fn watcher_count(&self) -> usize {
        self.watchers.len()
    }

    pub(super) fn wake_all(&self) {
        self.changes.send_replace(self.next);
        for signal in self.watchers.values() {
            signal.notify.notify_one();
        }
    }

    fn mark(&self, service: ServiceId) {
        self.changes.send_replace(self.next);
        let Some(name) = self.services.get(&service).map(|entry| entry.name.as_str()) else {
            return;
        };
        for id in self.interest.get(name).into_iter().flatten() {
            if let Some(signal) = self.watchers.get(id) {
                signal.dirty.lock().insert(service);
                signal.notify.notify_one();
            }
        }
    }
}
