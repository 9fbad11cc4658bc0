//! Types that say the same under different names: one that was renamed, or moved out of another.
//!
//! Invariant: of two that are alike each reads what the other writes, as bytes and as JSON.

use std::collections::BTreeSet;

use super::model::{Field, Lock, Type};

/// Whether a message or an enum that is accepted says what a present one says.
pub(super) fn are_alike([accepted, present]: [&Lock; 2], old: &str, new: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending = vec![(old, new)];
    while let Some((old, new)) = pending.pop() {
        if !seen.insert((old, new)) {
            continue;
        }
        let messages = (accepted.messages.get(old), present.messages.get(new));
        let enums = (accepted.enums.get(old), present.enums.get(new));
        let is_alike = match (messages, enums) {
            ((Some(before), Some(now)), _) => {
                let (before, now) = (&before.fields, &now.fields);
                let mut pairs = before.iter().zip(now);
                before.len() == now.len()
                    && pairs.all(|((a, before), (b, now))| {
                        pending.extend(before.ty.name().zip(now.ty.name()));
                        a == b && is_alike(before, now)
                    })
            }
            (_, (Some(before), Some(now))) => {
                before.values == now.values && before.default == now.default
            }
            _ => old == new,
        };
        if !is_alike {
            return false;
        }
    }
    true
}

/// Whether two fields differ in nothing but names that do not travel, and in what their types are.
fn is_alike(before: &Field, now: &Field) -> bool {
    let types = match (&before.ty, &now.ty) {
        (Type::Scalar(before), Type::Scalar(now)) => before == now,
        (Type::Message(_), Type::Message(_)) | (Type::Enum(_), Type::Enum(_)) => true,
        _ => false,
    };
    let all = |it: &Field| {
        (
            it.json.clone(),
            it.label.clone(),
            it.oneof.clone(),
            it.default.clone(),
        )
    };
    types && all(before) == all(now)
}
