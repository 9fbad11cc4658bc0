//! Differences between two states of one enum.
//!
//! Decides by name, which is what JSON and code have; the first name of a number is the one that JSON
//! is written with.

use super::change::Breaks::{Code, Json, Wire};
use super::change::{Change, Verdict};
use super::model::Enum;
use super::reserved::{self, Reserved};

/// Every difference of the enum called `name`, each with its constant.
pub(super) fn compare<'e>(name: &str, old: &'e Enum, new: &'e Enum) -> Vec<(&'e str, Change)> {
    let mut found = Vec::new();
    for (constant, number) in &old.values {
        let change = match new.values.get(constant) {
            Some(now) if now == number => written(name, constant, *number, [old, new]),
            now => Some(left(name, constant, *number, now, new)),
        };
        found.extend(change.map(|it| (constant.as_str(), it)));
    }
    // A lock of before may not say it.
    if let (Some(before), Some(now)) = (&old.default, &new.default)
        && before != now
        && new.values.contains_key(before)
    {
        let what = format!("`{name}`: absent means `{now}` instead of `{before}`");
        let todo = "keep the constant that was first the first: the order is the default of proto2";
        found.push((now.as_str(), Change::major(&[Wire, Json], what).todo(todo)));
    }
    for (constant, number) in &new.values {
        if !old.values.contains_key(constant) {
            found.push((constant, arrived(name, constant, *number, old)));
        }
    }
    found
}

/// A constant that JSON was written with and is not any more.
fn written(name: &str, constant: &str, number: i32, [old, new]: [&Enum; 2]) -> Option<Change> {
    if !new.aliases.contains(constant) {
        return None;
    }
    let now = new.first_of(number)?;
    let is_it = old.first_of(number) == Some(constant) && now != constant;
    let what = format!("`{name}`: JSON has `{now}` for {number} instead of `{constant}`");
    let todo = format!("declare `{now}` behind `{constant}`: readers of today may not know it");
    is_it.then(|| Change::major(&[Json], what).todo(todo))
}

fn left(name: &str, constant: &str, number: i32, now: Option<&i32>, new: &Enum) -> Change {
    if let Some(now) = now {
        let what = format!("`{name}`: `{constant}` is {now} instead of {number}");
        return Change::major(&[Wire, Code], what).todo("give it its number back");
    }
    if new.values.values().any(|other| *other == number) {
        let what = format!("`{name}`: {number} is not called `{constant}` any more");
        let todo = "keep the name, and declare the new one behind it (`option allow_alias = true`)";
        return Change::major(&[Json, Code], what).todo(todo);
    }
    let what = format!("`{name}`: {number} `{constant}` is gone");
    let todo = "keep it; a sender that was built before still sends it";
    Change::major(&[Json, Code], what).todo(todo)
}

fn arrived(name: &str, constant: &str, number: i32, old: &Enum) -> Change {
    let what = format!("`{name}`: {number} `{constant}` is new");
    if Reserved::of(old).holds_any(number, constant) {
        return reserved::taken(&what);
    }
    let todo = "give each `match` that lists every value an arm for it, or a `_`";
    Change::new(Verdict::Minor, what).todo(todo)
}

impl Enum {
    /// The name that JSON is written with; `None` where a lock of the first format has several.
    fn first_of(&self, number: i32) -> Option<&str> {
        let of_number = self.values.iter().filter(|(_, it)| **it == number);
        let mut first = of_number.filter(|(name, _)| !self.aliases.contains(*name));
        let (name, _) = first.next()?;
        first.next().is_none().then_some(name)
    }
}
