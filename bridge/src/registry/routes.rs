//! Which instances can take which call: one slot per declared dependency, rebuilt whole.
//!
//! A slot's position is known before start, so a call reads its candidates by index, without
//! hashing and without a lock.

use std::collections::HashMap;
use std::sync::Arc;

use contract::grpc::v1::{MethodDescriptor, MethodType, PolicyRule};

use super::view::View;
use crate::handler::MethodMeta;
use crate::instance::{InstanceKey, InstanceLink};

/// A method of another service that this process calls.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) service: Arc<str>,
    pub(crate) method: &'static MethodMeta,
}

/// The candidates of every dependency.
#[derive(Debug)]
pub(crate) struct Routes {
    slots: Box<[Slot]>,
}

/// The candidates of one dependency, and why there may be none.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) candidates: Box<[Candidate]>,
    /// Instances that serve the method under any contract hash.
    pub(crate) serving: usize,
    /// Those among them with the caller's contract hash.
    pub(crate) matching: usize,
    /// This service's own rules forbid the call.
    pub(crate) is_denied: bool,
}

/// An instance that can be called.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) instance: Arc<InstanceLink>,
    /// Start of the runtime's unhealthy window, unix milliseconds; 0 when healthy. A hint.
    pub(crate) unhealthy_since_ms: i64,
}

impl Routes {
    /// Before the first snapshot.
    pub(super) fn unknown(slots: usize) -> Self {
        Self {
            slots: (0..slots).map(|_| Slot::default()).collect(),
        }
    }

    pub(super) fn build(
        view: &View,
        dependencies: &[Dependency],
        mut link: impl FnMut(InstanceKey) -> Arc<InstanceLink>,
    ) -> Self {
        let mut by_name: HashMap<(&str, &str), Vec<&MethodDescriptor>> = HashMap::new();
        for method in view.methods.values() {
            if method.r#type == MethodType::Rpc as i32 && !method.published {
                by_name
                    .entry((&method.service_name, &method.name))
                    .or_default()
                    .push(method);
            }
        }
        let slots = dependencies.iter().map(|dependency| {
            let key = (&*dependency.service, dependency.method.name);
            let serving = by_name.get(&key).map_or(&[][..], Vec::as_slice);
            slot(view, dependency, serving, &mut link)
        });
        Self {
            slots: slots.collect(),
        }
    }

    pub(crate) fn slot(&self, index: usize) -> &Slot {
        &self.slots[index]
    }
}

fn slot(
    view: &View,
    dependency: &Dependency,
    serving: &[&MethodDescriptor],
    link: &mut impl FnMut(InstanceKey) -> Arc<InstanceLink>,
) -> Slot {
    let mut slot = Slot {
        serving: serving.len(),
        ..Slot::default()
    };
    let mut candidates = Vec::new();
    for method in serving {
        if method.contract_hash != dependency.method.contract_hash {
            continue;
        }
        slot.matching += 1;
        slot.is_denied |= is_denied(view, &method.service_id, &method.name);
        let Some(instance) = view.instances.get(&method.instance_id) else {
            continue;
        };
        if instance.call_endpoint.is_empty() || view.is_revoked(instance) {
            continue;
        }
        // Ids that are not UUIDs cannot be in a certificate we would accept.
        let (Ok(service), Ok(id)) = (instance.service_id.parse(), instance.instance_id.parse())
        else {
            continue;
        };
        let endpoint = instance.call_endpoint.clone();
        let instance_link = link(InstanceKey {
            service,
            instance: id,
            endpoint,
        });
        let unhealthy_since_ms = instance.is_unhealthy_since_unix_ms;
        candidates.push(Candidate {
            instance: instance_link,
            unhealthy_since_ms,
        });
    }
    slot.candidates = candidates.into();
    slot
}

/// No egress rule for calls means everything is allowed; the first one makes it an allow-list.
fn is_denied(view: &View, service_id: &str, method: &str) -> bool {
    let Some(policy) = &view.policy else {
        return false;
    };
    let mut rules = policy
        .egress
        .iter()
        .filter(|rule| rule.action == "rpc.call")
        .peekable();
    rules.peek().is_some() && !rules.any(|rule| covers(rule, service_id, method))
}

fn covers(rule: &PolicyRule, service_id: &str, method: &str) -> bool {
    (rule.peer_service_id.is_empty() || rule.peer_service_id == service_id)
        && (rule.target_name == "*" || rule.target_name == method)
}
