//! Whether an inbound call may run: revocations and the acceptance rules of this service.
//!
//! The answer depends on the peer's certificate and the method alone. Rules about what a caller
//! may send are the caller's and the runtime's business, not the callee's.

use std::collections::HashSet;

use contract::ids::{InstanceId, ServiceId};
use contract::tls::Peer;

use super::view::View;

/// Who may call what, compiled from the view.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// `None` until the first snapshot; empty rules accept everybody.
    rules: Option<Box<[Rule]>>,
    revoked_instances: HashSet<InstanceId>,
    revoked_services: HashSet<ServiceId>,
}

#[derive(Debug)]
struct Rule {
    /// `None` accepts every service; a peer text that is no id accepts none.
    peer: Option<Option<ServiceId>>,
    /// `None` accepts every method.
    method: Option<String>,
}

/// The answer to "may this call run".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    /// No snapshot yet.
    NotReady,
    Revoked,
    /// The peer's certificate says neither runtime nor service.
    Unidentified,
    /// No acceptance rule covers it.
    Denied,
}

impl Access {
    pub(super) fn of(view: &View) -> Self {
        let rules = view.policy.as_ref().map(|policy| {
            let rules = policy
                .acceptance
                .iter()
                .filter(|rule| rule.action == "rpc.handle");
            rules
                .map(|rule| Rule {
                    peer: Some(&rule.peer_service_id)
                        .filter(|id| !id.is_empty())
                        .map(|id| id.parse().ok()),
                    method: Some(rule.target_name.clone()).filter(|name| name != "*"),
                })
                .collect()
        });
        Self {
            rules,
            revoked_instances: view
                .revoked_instances
                .iter()
                .flat_map(|id| id.parse())
                .collect(),
            revoked_services: view
                .revoked_services
                .keys()
                .flat_map(|id| id.parse())
                .collect(),
        }
    }

    /// Rows 2 to 4 of the order of checks.
    pub(crate) fn verdict(&self, peer: Peer, method: &str) -> Verdict {
        let Some(rules) = &self.rules else {
            return Verdict::NotReady;
        };
        if let Peer::Service { service, instance } = peer
            && (self.revoked_instances.contains(&instance)
                || self.revoked_services.contains(&service))
        {
            return Verdict::Revoked;
        }
        if rules.is_empty() {
            return Verdict::Allowed;
        }
        match peer {
            Peer::Unknown => Verdict::Unidentified,
            // The runtime has already asked the policy for the caller it speaks for.
            Peer::Runtime => Verdict::Allowed,
            Peer::Service { service, .. } => {
                let accepts = |rule: &Rule| {
                    rule.peer.is_none_or(|peer| peer == Some(service))
                        && rule.method.as_deref().is_none_or(|name| name == method)
                };
                if rules.iter().any(accepts) {
                    Verdict::Allowed
                } else {
                    Verdict::Denied
                }
            }
        }
    }
}
