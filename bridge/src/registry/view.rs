//! The registry's content and the exact order in which frames change it.
//!
//! Pure: no clock, no connections, no locks. Deleting what is not there does nothing; a removal
//! listed beside an addition of the same key in one frame wins. Revocations outlive snapshots.

use std::collections::{HashMap, HashSet};

use contract::grpc::v1::registry_event::Kind;
use contract::grpc::v1::{
    CaptureModes, MethodDescriptor, PolicyEvaluation, PolicyViolation, RegistryEvent,
    RegistrySnapshot, RegistryUpdate, ServiceInstanceInfo,
};

type MethodKey = (String, i32, String, bool);

/// Everything one process has been told.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) methods: HashMap<MethodKey, MethodDescriptor>,
    pub(super) instances: HashMap<String, ServiceInstanceInfo>,
    /// `None` until the first snapshot.
    pub(super) policy: Option<PolicyEvaluation>,
    pub(super) revoked_instances: HashSet<String>,
    /// With the instances known at the time: a new one lifts the revocation.
    pub(super) revoked_services: HashMap<String, HashSet<String>>,
    telemetry_disabled: bool,
    /// The latest; `None` until one was sent.
    pub(super) capture: Option<CaptureModes>,
}

impl View {
    /// Applies one frame; returns the policy warnings it carried.
    pub(super) fn apply(&mut self, event: RegistryEvent) -> Vec<PolicyViolation> {
        match event.kind {
            Some(Kind::Snapshot(snapshot)) => self.apply_snapshot(snapshot),
            Some(Kind::Update(update)) => self.apply_update(update),
            // A frame of a later contract: nothing we know of has changed.
            None => Vec::new(),
        }
    }

    fn apply_snapshot(&mut self, snapshot: RegistrySnapshot) -> Vec<PolicyViolation> {
        self.methods = snapshot
            .methods
            .into_iter()
            .map(|it| (method_key(&it), it))
            .collect();
        self.instances = HashMap::with_capacity(snapshot.instances.len());
        for instance in &snapshot.instances {
            self.instances
                .insert(instance.instance_id.clone(), instance.clone());
        }
        self.policy = Some(snapshot.policy.unwrap_or_default());
        self.apply_capture(snapshot.capture_modes);
        self.lift_revocations(&snapshot.instances);
        self.policy
            .as_ref()
            .map(|policy| policy.warnings.clone())
            .unwrap_or_default()
    }

    fn apply_update(&mut self, update: RegistryUpdate) -> Vec<PolicyViolation> {
        for method in update.added {
            self.methods.insert(method_key(&method), method);
        }
        for method in update.removed {
            self.methods.remove(&method_key(&method));
        }
        for instance in &update.added_instances {
            self.instances
                .insert(instance.instance_id.clone(), instance.clone());
        }
        for instance in update.removed_instances {
            self.instances.remove(&instance.instance_id);
        }
        for peer in update.removed_peers {
            self.methods.retain(|_, method| method.service_id != peer);
            self.instances
                .retain(|_, instance| instance.service_id != peer);
        }
        let warnings = update
            .policy
            .as_ref()
            .map(|it| it.warnings.clone())
            .unwrap_or_default();
        if update.policy.is_some() {
            self.policy = update.policy;
        }
        self.apply_capture(update.capture_modes);
        self.lift_revocations(&update.added_instances);
        for service in update.revoked_services {
            let known = self
                .instances
                .values()
                .filter(|it| it.service_id == service);
            let known = known.map(|it| it.instance_id.clone()).collect();
            self.revoked_services.insert(service, known);
        }
        self.revoked_instances.extend(update.revoked_instances);
        warnings
    }

    /// "Off" counts only in a message that was really pushed, which has a non-zero cap.
    fn apply_capture(&mut self, modes: Option<CaptureModes>) {
        if let Some(modes) = modes
            && (modes.telemetry_enabled || modes.payload_max_bytes != 0)
        {
            self.telemetry_disabled = !modes.telemetry_enabled;
        }
        if modes.is_some() {
            self.capture = modes;
        }
    }

    fn lift_revocations(&mut self, seen: &[ServiceInstanceInfo]) {
        for instance in seen {
            let is_new = |known: &HashSet<String>| !known.contains(&instance.instance_id);
            if self
                .revoked_services
                .get(&instance.service_id)
                .is_some_and(is_new)
            {
                self.revoked_services.remove(&instance.service_id);
            }
        }
    }

    pub(super) fn is_revoked(&self, instance: &ServiceInstanceInfo) -> bool {
        self.revoked_instances.contains(&instance.instance_id)
            || self.revoked_services.contains_key(&instance.service_id)
    }

    pub(super) fn telemetry_enabled(&self) -> bool {
        !self.telemetry_disabled
    }
}

fn method_key(method: &MethodDescriptor) -> MethodKey {
    (
        method.instance_id.clone(),
        method.r#type,
        method.name.clone(),
        method.published,
    )
}
