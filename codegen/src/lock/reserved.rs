//! Numbers and names that a message or an enum keeps from coming back.
//!
//! Invariant: what is reserved and what is used are never told of as one another.

use std::collections::BTreeSet;

use super::change::Breaks::{Json, Wire};
use super::change::{Change, Verdict};
use super::model::{Enum, Message};

/// What one declaration reserves, and what it uses.
pub(super) struct Reserved<'d> {
    /// As first and last.
    ranges: BTreeSet<(i64, i64)>,
    names: &'d BTreeSet<String>,
    used: BTreeSet<i64>,
    used_names: BTreeSet<&'d str>,
}

/// A declaration that reserves numbers and names.
pub(super) trait Reserves {
    fn reserved(&self) -> Reserved<'_>;
}

impl Reserves for Message {
    fn reserved(&self) -> Reserved<'_> {
        let ranges = self.reserved.iter();
        Reserved {
            ranges: ranges.map(|it| (it.0.into(), it.1.into())).collect(),
            names: &self.reserved_names,
            used: self.fields.keys().map(|it| i64::from(*it)).collect(),
            used_names: self.fields.values().map(|it| it.name.as_str()).collect(),
        }
    }
}

impl Reserves for Enum {
    fn reserved(&self) -> Reserved<'_> {
        let ranges = self.reserved.iter();
        Reserved {
            ranges: ranges.map(|it| (it.0.into(), it.1.into())).collect(),
            names: &self.reserved_names,
            used: self.values.values().map(|it| i64::from(*it)).collect(),
            used_names: self.values.keys().map(String::as_str).collect(),
        }
    }
}

impl<'d> Reserved<'d> {
    pub(super) fn of(declared: &'d impl Reserves) -> Self {
        declared.reserved()
    }

    fn holds(&self, number: i64) -> bool {
        let holds = |range: &(i64, i64)| (range.0..=range.1).contains(&number);
        self.ranges.iter().any(holds)
    }

    /// Whether the number or the name may not come back.
    pub(super) fn holds_any(&self, number: impl Into<i64>, name: &str) -> bool {
        self.holds(number.into()) || self.names.contains(name)
    }

    /// Whether neither the number nor the name may come back.
    pub(super) fn holds_all(&self, number: impl Into<i64>, name: &str) -> bool {
        self.holds(number.into()) && self.names.contains(name)
    }

    /// Whether a range is in what is reserved; ranges may be long, so their ends decide.
    fn covers(&self, range: &(i64, i64)) -> bool {
        self.holds(range.0) && self.holds(range.1)
    }
}

/// Something that is new, though what it has was not to come back.
pub(super) fn taken(what: &str) -> Change {
    let what = format!("{what}, though its number or name was reserved");
    let todo = "take a number and a name that were never used";
    Change::major(&[Wire, Json], what).todo(todo)
}

/// What is reserved or not any more; what came back is told of where it is used.
pub(super) fn changes(owner: &str, old: &Reserved<'_>, new: &Reserved<'_>) -> Vec<Change> {
    let mut found = Vec::new();
    let freed = old.ranges.iter().filter(|range| !new.covers(range));
    for (first, last) in freed.filter(|it| new.used.range(it.0..=it.1).next().is_none()) {
        let what = format!("`{owner}`: numbers {first} to {last} are not reserved any more");
        let todo = "keep them reserved; old messages may still hold them";
        found.push(Change::new(Verdict::Minor, what).todo(todo));
    }
    for (first, last) in new.ranges.iter().filter(|range| !old.covers(range)) {
        let what = format!("`{owner}`: numbers {first} to {last} are reserved");
        found.push(Change::new(Verdict::Patch, what));
    }
    for name in new.names.difference(old.names) {
        let what = format!("`{owner}`: name `{name}` is reserved");
        found.push(Change::new(Verdict::Patch, what));
    }
    let freed = old.names.difference(new.names);
    for name in freed.filter(|name| !new.used_names.contains(name.as_str())) {
        let what = format!("`{owner}`: name `{name}` is not reserved any more");
        found.push(Change::new(Verdict::Minor, what).todo("keep it reserved"));
    }
    found
}
