//! What this process calls in the mesh, collected while its bridge is built; the session, once it
//! has started.

use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::handler::MethodMeta;
use crate::registry::Dependency;
use crate::session::Session;

/// Everything that is called.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    dependencies: Mutex<Vec<Dependency>>,
    session: OnceLock<Arc<Session>>,
}

impl Declared {
    /// Declares the calls of `methods` to `service` and returns what makes them.
    pub(super) fn mesh(
        self: &Arc<Self>,
        service: &Arc<str>,
        methods: &'static [MethodMeta],
    ) -> Mesh {
        let mut dependencies = self.dependencies.lock();
        let first_slot = dependencies.len();
        let declared = methods.iter().map(|method| Dependency {
            service: service.clone(),
            method,
        });
        dependencies.extend(declared);
        Mesh {
            declared: self.clone(),
            service: service.clone(),
            first_slot,
        }
    }

    /// Everything declared, in the order of its slots.
    pub(crate) fn dependencies(&self) -> Vec<Dependency> {
        self.dependencies.lock().clone()
    }

    /// From now on calls can be made.
    pub(crate) fn start(&self, session: Arc<Session>) {
        // A bridge starts once; its builder is consumed by that.
        let _ = self.session.set(session);
    }
}

/// One service of the mesh.
#[derive(Clone)]
pub(super) struct Mesh {
    declared: Arc<Declared>,
    pub(super) service: Arc<str>,
    /// Slot of the first method; the others follow in order.
    pub(super) first_slot: usize,
}

impl Mesh {
    /// The session, once the bridge has started.
    pub(super) fn session(&self) -> Option<&Arc<Session>> {
        self.declared.session.get()
    }

    /// What the runtime calls it: `payments/Charge`.
    pub(super) fn operation(&self, method: &MethodMeta) -> String {
        format!("{}/{}", self.service, method.name)
    }
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in the mesh", self.service)
    }
}
