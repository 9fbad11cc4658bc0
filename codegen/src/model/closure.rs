//! What only the whole of the messages shows: which fields go in circles (those are boxed, and not
//! required), and which messages must be searched for missing fields.
//!
//! Invariant: after [`close`] every message has a finite size and a finite default.

use std::collections::BTreeMap;

use super::{Field, Label, Message};

/// Boxes fields that lead back to their message, and lets a required one that does be absent.
pub(super) fn close(messages: &mut BTreeMap<String, Message>) {
    let required = Components::of(messages, |field| {
        matches!(field.label, Label::Required { .. })
    });
    let singular = Components::of(messages, Field::is_singular);
    for message in messages.values_mut().filter(|it| !it.is_well_known()) {
        let owner = message.full_name.clone();
        for field in &mut message.fields {
            let Some(target) = field.message().map(str::to_owned) else {
                continue;
            };
            if !field.is_singular() {
                continue;
            }
            field.boxed = singular.same(&owner, &target);
            let is_required = matches!(field.label, Label::Required { .. });
            if is_required && required.same(&owner, &target) {
                field.label = Label::Explicit;
            }
        }
    }
    mark_requiring(messages);
}

/// Marks the messages that cannot be read without looking for what is missing.
fn mark_requiring(messages: &mut BTreeMap<String, Message>) {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut pending = Vec::new();
    for message in messages.values() {
        for field in &message.fields {
            if matches!(field.label, Label::Required { .. }) {
                pending.push(message.full_name.clone());
            }
            if let Some(target) = field.message() {
                let users = users.entry(target.to_owned()).or_default();
                users.push(message.full_name.clone());
            }
        }
    }
    while let Some(name) = pending.pop() {
        let Some(message) = messages.get_mut(&name) else {
            continue;
        };
        if !std::mem::replace(&mut message.requires, true) {
            pending.extend(users.get(&name).into_iter().flatten().cloned());
        }
    }
}

/// Strongly connected messages: those that lead to each other.
struct Components {
    of: BTreeMap<String, usize>,
}

impl Components {
    /// Two passes of depth-first search, the second one against the arrows.
    fn of(messages: &BTreeMap<String, Message>, follow: impl Fn(&Field) -> bool) -> Self {
        let index: BTreeMap<&str, usize> = messages.keys().map(String::as_str).zip(0..).collect();
        let mut onwards = vec![Vec::new(); messages.len()];
        let mut backwards = vec![Vec::new(); messages.len()];
        for (from, message) in messages.values().enumerate() {
            let targets = message.fields.iter().filter(|field| follow(field));
            for target in targets.filter_map(Field::message) {
                onwards[from].push(index[target]);
                backwards[index[target]].push(from);
            }
        }
        let mut found = vec![None; messages.len()];
        let order = in_order_of_completion(&onwards);
        for (component, start) in order.into_iter().rev().enumerate() {
            let mut pending = vec![start];
            while let Some(at) = pending.pop() {
                if found[at].is_none() {
                    found[at] = Some(component);
                    pending.extend(&backwards[at]);
                }
            }
        }
        let names = messages.keys().cloned();
        let of = names
            .zip(found)
            .filter_map(|(name, found)| Some((name, found?)));
        Self { of: of.collect() }
    }

    /// Whether an arrow between the two is part of a circle.
    fn same(&self, from: &str, to: &str) -> bool {
        self.of.get(from) == self.of.get(to)
    }
}

/// Depth first, without recursion: contracts may be as deep as they like.
fn in_order_of_completion(onwards: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; onwards.len()];
    let mut order = Vec::with_capacity(onwards.len());
    for start in 0..onwards.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.pop() {
            match onwards[at].get(next) {
                Some(&target) => {
                    path.push((at, next + 1));
                    if !std::mem::replace(&mut seen[target], true) {
                        path.push((target, 0));
                    }
                }
                None => order.push(at),
            }
        }
    }
    order
}
