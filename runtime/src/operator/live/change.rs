//! What changed from one topology to the next. Pure.
//!
//! Refuses to tell many changes as such: the whole is no longer to read then.
//!
//! Invariant: whoever has the one topology and applies the change has the other.

use crate::operator::model::{Change, Topology};

/// So many changes are told as such, however small the map.
const CHANGED_MIN: usize = 16;

/// What makes one topology of the other; `None` when places differ, or so much that the whole is
/// no longer to read.
pub(super) fn change(before: &Topology, now: &Topology) -> Option<Change> {
    let places = before.services.len() == now.services.len()
        && before.links.len() == now.links.len()
        && before
            .services
            .iter()
            .zip(&now.services)
            .all(|(a, b)| a.name == b.name)
        && before
            .links
            .iter()
            .zip(&now.links)
            .all(|(a, b)| (&a.from, &a.to) == (&b.from, &b.to));
    if !places || before.sequence == 0 {
        return None;
    }
    let change = Change {
        sequence: now.sequence,
        of: before.sequence,
        services: differing(&before.services, &now.services),
        links: differing(&before.links, &now.links),
    };
    let changed = change.services.len() + change.links.len();
    let all = now.services.len() + now.links.len();
    (changed <= CHANGED_MIN.max(all / 4)).then_some(change)
}

/// What is not as it was, by its index.
fn differing<T: Clone + PartialEq>(before: &[T], now: &[T]) -> Vec<(usize, T)> {
    let all = before.iter().zip(now).enumerate();
    all.filter(|(_, (a, b))| a != b)
        .map(|(at, (_, b))| (at, b.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, instances: u32) -> crate::registry::MapService {
        let json = serde_json::json!({
            "id": "01a1fde0-043c-76a4-98a1-2c3f08487687", "name": name, "status": "active",
            "instances": [], "methods": [{
                "kind": "rpc", "name": "Echo", "contract_hash": "", "instances": instances,
            }],
        });
        serde_json::from_value(json).expect("a service")
    }

    fn topology(sequence: u64, services: &[(&str, u32)]) -> Topology {
        Topology {
            sequence,
            services: services
                .iter()
                .map(|(name, it)| service(name, *it))
                .collect(),
            links: Vec::new(),
        }
    }

    #[test]
    fn a_few_changes_are_told_alone_and_other_places_are_told_whole() {
        let before = topology(7, &[("desk", 1), ("orders", 1)]);
        let now = topology(9, &[("desk", 1), ("orders", 2)]);
        let told = change(&before, &now).expect("a change");
        assert_eq!((told.of, told.sequence), (7, 9));
        assert_eq!(told.services, [(1, service("orders", 2))]);
        assert_eq!(change(&before, &topology(9, &[("desk", 1)])), None);
        let moved = topology(9, &[("orders", 1), ("desk", 1)]);
        assert_eq!(change(&before, &moved), None);
        assert_eq!(change(&Topology::default(), &topology(1, &[])), None);
        let many: Vec<_> = (0..100).map(|at| (format!("s{at:03}"), 1)).collect();
        let all = |count: u32| -> Vec<(&str, u32)> {
            many.iter()
                .map(|(name, it)| (&**name, it + count))
                .collect()
        };
        assert_eq!(change(&topology(1, &all(0)), &topology(2, &all(1))), None);
    }
}
