//! What this process knows about the mesh, and the routes made from it.
//!
//! ```text
//! frames ──► View (rules of the registry stream) ──► Routes  (picked from without a lock)
//!                                               └──► Access  (asked for each inbound call)
//! ```
//!
//! Refuses to guess: until the first snapshot there are no routes, and inbound calls are "not
//! ready". A lost stream changes nothing here, so direct calls go on while the runtime is away.
//!
//! Invariant: an instance that has left the view, or was revoked, has no open connection.

mod access;
mod routes;
mod view;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, Guard};
use contract::clock::Clock;
use contract::grpc::v1::{CaptureModes, PolicyViolation, RegistryEvent};
use parking_lot::Mutex;

pub(crate) use self::access::{Access, Verdict};
pub(crate) use self::routes::{Candidate, Dependency, Routes, Slot};

use self::view::View;
use crate::instance::{InstanceKey, InstanceLink};
use crate::link::Credentials;

/// The registry as one process sees it.
#[derive(Debug)]
pub(crate) struct Registry {
    state: Mutex<State>,
    routes: ArcSwap<Routes>,
    access: ArcSwap<Access>,
    telemetry_enabled: AtomicBool,
    dependencies: Box<[Dependency]>,
    credentials: Arc<Credentials>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct State {
    view: View,
    links: HashMap<InstanceKey, Arc<InstanceLink>>,
}

impl Registry {
    pub(crate) fn new(
        dependencies: Vec<Dependency>,
        credentials: Arc<Credentials>,
        clock: Clock,
    ) -> Self {
        let routes = Routes::unknown(dependencies.len());
        Self {
            state: Mutex::default(),
            routes: ArcSwap::from_pointee(routes),
            access: ArcSwap::from_pointee(Access::default()),
            telemetry_enabled: AtomicBool::new(true),
            dependencies: dependencies.into(),
            credentials,
            clock,
        }
    }

    /// What the process calls, in the order of the routes' slots.
    pub(crate) fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// The routes of this moment.
    pub(crate) fn routes(&self) -> Guard<Arc<Routes>> {
        self.routes.load()
    }

    /// Who may call, as of this moment.
    pub(crate) fn access(&self) -> Guard<Arc<Access>> {
        self.access.load()
    }

    /// Whether the runtime wants operations reported.
    pub(crate) fn telemetry_enabled(&self) -> bool {
        self.telemetry_enabled.load(Ordering::Relaxed)
    }

    /// Which payloads the runtime wants; `None` until it has said so.
    pub(crate) fn capture(&self) -> Option<CaptureModes> {
        self.state.lock().view.capture
    }

    /// Applies one frame and publishes what follows from it. Returns the policy warnings the
    /// frame carried.
    pub(crate) fn apply(&self, event: RegistryEvent) -> Vec<PolicyViolation> {
        let mut state = self.state.lock();
        let warnings = state.view.apply(event);
        self.publish(&mut state);
        warnings
    }

    fn publish(&self, state: &mut State) {
        let State { view, links } = state;
        let mut kept = HashMap::with_capacity(links.len());
        let routes = Routes::build(view, &self.dependencies, |key| {
            let link = links.get(&key).cloned().unwrap_or_else(|| {
                let (credentials, clock) = (self.credentials.clone(), self.clock.clone());
                Arc::new(InstanceLink::new(key.clone(), credentials, clock))
            });
            kept.entry(key).or_insert(link).clone()
        });
        self.routes.store(Arc::new(routes));
        self.access.store(Arc::new(Access::of(view)));
        self.telemetry_enabled
            .store(view.telemetry_enabled(), Ordering::Relaxed);
        for (key, link) in std::mem::replace(links, kept) {
            if links.contains_key(&key) {
                continue;
            }
            let told = view.instances.get(&key.instance.to_string());
            match told {
                // It takes no more calls, but finishes those it runs.
                Some(instance) if !view.is_revoked(instance) => link.link.retire(),
                _ => link.link.close(),
            }
        }
    }

    /// Lets go of connections nobody has used since the last sweep.
    pub(crate) fn sweep(&self) {
        for link in self.state.lock().links.values() {
            link.sweep();
        }
    }

    /// Closes every connection to other instances.
    pub(crate) fn close(&self) {
        for link in self.state.lock().links.values() {
            link.link.close();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
