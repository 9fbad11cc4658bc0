//! Differences between two states of one message.
//!
//! A field is what has its name, and moved when that has another number; a number that changes hands
//! is what breaks the wire. Where neither the old name of a number nor its new one is anywhere else,
//! the field has another name.
//!
//! Invariant: each number whose field came, went or moved is told of.

use std::collections::BTreeSet;

use super::alike::are_alike;
use super::change::Breaks::{Code, Json, Wire};
use super::change::{Breaks, Change, Verdict};
use super::model::{Field, Label, Lock, Message, Type};
use super::reserved::{self, Reserved};

/// A change of the field of that name, or of the message itself where that is empty.
pub(super) type Named = (String, Change);

/// Every difference of the message called `name`, whose states are in the locks.
pub(super) fn compare(name: &str, [old, new]: [&Message; 2], locks: [&Lock; 2]) -> Vec<Named> {
    let mut found = Vec::new();
    let numbers: BTreeSet<u32> = old
        .fields
        .keys()
        .chain(new.fields.keys())
        .copied()
        .collect();
    let pair = Pair {
        name,
        old,
        new,
        locks,
    };
    for number in numbers {
        let [before, now] = [old, new].map(|it| it.fields.get(&number));
        let mut put = |of: &Field, changes: Vec<Change>| {
            found.extend(changes.into_iter().map(|it| (of.name.clone(), it)));
        };
        match (before, now) {
            (Some(before), Some(now)) if pair.is_same(before, now) => {
                put(now, pair.differences(number, before, now));
            }
            _ => {
                before.inspect(|it| put(it, pair.left(number, it)));
                now.inspect(|it| put(it, Vec::from_iter(pair.arrived(number, it))));
            }
        }
    }
    let of_message = reserved::changes(name, &Reserved::of(old), &Reserved::of(new));
    found.extend(of_message.into_iter().map(|it| (String::new(), it)));
    found
}

/// The two states of a message.
struct Pair<'p> {
    name: &'p str,
    old: &'p Message,
    new: &'p Message,
    locks: [&'p Lock; 2],
}

impl Pair<'_> {
    /// Whether what had the number still has it, perhaps under another name.
    fn is_same(&self, before: &Field, now: &Field) -> bool {
        let is_renamed =
            self.new.number_of(&before.name).is_none() && self.old.number_of(&now.name).is_none();
        before.name == now.name || is_renamed
    }

    /// What became of a field that does not have its number any more.
    fn left(&self, number: u32, field: &Field) -> Vec<Change> {
        let (message, name) = (self.name, &field.name);
        if let Some(other) = self.new.number_of(name) {
            let what =
                format!("`{message}`: field `{name}` has number {other} instead of {number}");
            let todo = format!("give it number {number} back; a number is what travels");
            let mut found = vec![Change::major(&[Wire], what).todo(todo)];
            found.extend(self.differences(number, field, &self.new.fields[&other]));
            return found;
        }
        let what = format!("`{message}`: field {number} `{name}` is gone");
        let is_taken = self.new.fields.contains_key(&number);
        let breaks: &[_] = if is_taken || field.label == Label::Required {
            &[Wire, Json, Code]
        } else {
            &[Json, Code]
        };
        let todo = if is_taken {
            format!("put it back, and give what has {number} now a number of its own")
        } else if Reserved::of(self.new).holds_all(number, name) {
            "its number and name are reserved: accept it once nobody reads the field".to_owned()
        } else {
            format!("put it back, or write `reserved {number}; reserved \"{name}\";` and accept")
        };
        vec![Change::major(breaks, what).todo(todo)]
    }

    /// `None` for a field that moved to a number that nothing had: that is told once, where it was.
    fn arrived(&self, number: u32, field: &Field) -> Option<Change> {
        let (message, name) = (self.name, &field.name);
        let what = format!("`{message}`: field {number} `{name}` is new");
        if Reserved::of(self.old).holds_any(number, name) {
            return Some(reserved::taken(&what));
        }
        if self.old.number_of(name).is_some() {
            return None;
        }
        if let Some(before) = self.old.fields.get(&number) {
            let what = format!("{what}, with the number that `{}` had", before.name);
            let todo = "take a number that was never used";
            return Some(Change::major(&[Wire], what).todo(todo));
        }
        if field.label == Label::Required {
            let what = format!("{what} and required");
            let todo = "make it optional; what was sent before does not have it";
            return Some(Change::major(&[Wire, Json], what).todo(todo));
        }
        let todo = match &field.oneof {
            Some(_) => {
                "give each `match` that lists every member of the oneof an arm for it, or a `_`"
            }
            None => "end each literal that names every field in `..Default::default()`",
        };
        Some(Change::new(Verdict::Minor, what).todo(todo))
    }

    fn differences(&self, number: u32, old: &Field, new: &Field) -> Vec<Change> {
        let of = format!("`{}`: field {number} `{}`", self.name, old.name);
        let mut found = Vec::new();
        found.extend(names(&of, old, new));
        if old.ty != new.ty {
            let what = format!("{of} is {} instead of {}", typed(&new.ty), typed(&old.ty));
            let todo = format!("keep {number} as it was, and add a field with a number of its own");
            found.push(Change::major(self.broken_by(&old.ty, &new.ty), what).todo(todo));
        }
        found.extend(self.oneof(&of, old, new));
        // What is in a oneof is a plain value: leaving one or getting into one says so.
        let is_told = old.oneof.is_some() != new.oneof.is_some()
            && [&old.label, &new.label].map(|it| matches!(it, Label::Plain | Label::Optional))
                == [true, true];
        if !is_told {
            found.extend(label(&of, &old.label, &new.label));
        }
        if old.default != new.default {
            let shown = |it: &Option<String>| it.clone().unwrap_or_else(|| "none".to_owned());
            let (now, before) = (shown(&new.default), shown(&old.default));
            let what = format!("{of} has the default {now} instead of {before}");
            let todo = "an absent value means another thing on each side: keep the default";
            found.push(Change::major(&[Wire], what).todo(todo));
        }
        if !old.deprecated && new.deprecated {
            found.push(Change::new(Verdict::Minor, format!("{of} is deprecated")));
        }
        found
    }

    fn broken_by(&self, old: &Type, new: &Type) -> &'static [Breaks] {
        match (old, new) {
            (Type::Scalar(old), Type::Scalar(new)) => {
                let are_kin = |group: &&[&str]| {
                    group.contains(&old.as_str()) && group.contains(&new.as_str())
                };
                if WIRE_KIN.iter().any(are_kin) {
                    &[Json, Code]
                } else {
                    &[Wire, Json, Code]
                }
            }
            (Type::Message(old), Type::Message(new)) | (Type::Enum(old), Type::Enum(new))
                if are_alike(self.locks, old, new) =>
            {
                &[Code]
            }
            _ => &[Wire, Json, Code],
        }
    }

    fn oneof(&self, of: &str, old: &Field, new: &Field) -> Option<Change> {
        if old.oneof == new.oneof {
            return None;
        }
        let what = match (&old.oneof, &new.oneof) {
            (None, None) => return None,
            (None, Some(group)) => format!("{of} is in the oneof `{group}`"),
            (Some(group), None) => format!("{of} is not in the oneof `{group}` any more"),
            (Some(before), Some(now)) if self.old.members(before) == self.new.members(now) => {
                let what = format!("{of} is in `{now}`, as the oneof `{before}` is called now");
                let todo =
                    "bytes and JSON stay as they are; code names it: keep the name, or accept";
                return Some(Change::major(&[Code], what).todo(todo));
            }
            (Some(before), Some(now)) => {
                format!("{of} is in the oneof `{now}` instead of `{before}`")
            }
        };
        let todo = "readers and writers disagree on what excludes what: keep the grouping";
        Some(Change::major(&[Wire, Code], what).todo(todo))
    }
}

fn names(of: &str, old: &Field, new: &Field) -> Option<Change> {
    let is_json_kept = old.json == new.json;
    if old.name == new.name {
        let what = format!("{of} is `{}` in JSON instead of `{}`", new.json, old.json);
        let todo = format!("write `[json_name = \"{}\"]`", old.json);
        return (!is_json_kept).then(|| Change::major(&[Json], what).todo(todo));
    }
    let what = format!("{of} is called `{}`", new.name);
    Some(if is_json_kept {
        let todo = "bytes and JSON stay as they are; code names it: keep the name, or accept";
        Change::major(&[Code], what).todo(todo)
    } else {
        let todo = "bytes stay as they are; JSON and code name it: keep the name, or accept";
        Change::major(&[Json, Code], what).todo(todo)
    })
}

/// Types that read each other's bytes, though a value may not fit.
const WIRE_KIN: [&[&str]; 4] = [
    &["int32", "uint32", "int64", "uint64", "bool"],
    &["sint32", "sint64"],
    &["fixed32", "sfixed32"],
    &["fixed64", "sfixed64"],
];

fn label(of: &str, old: &Label, new: &Label) -> Option<Change> {
    use Label::{Optional, Plain, Required};
    if old == new {
        return None;
    }
    let (now, before) = (shown(new), shown(old));
    let what = format!("{of} is {now} instead of {before}");
    Some(match (old, new) {
        (Plain, Optional) | (Optional, Plain) => {
            let todo = "bytes stay as they are; its type in code is another one";
            Change::major(&[Code], what).todo(todo)
        }
        (_, Required) => {
            let todo = "leave it optional; what is sent without it would be refused";
            Change::major(&[Wire, Json, Code], what).todo(todo)
        }
        (Required, Plain | Optional) => {
            let todo = "readers that were built before refuse a message without it: deploy every \
                        reader before anyone leaves it out";
            Change::major(&[Wire, Json, Code], what).todo(todo)
        }
        _ => {
            let todo = "keep it, and add a field with a number of its own";
            Change::major(&[Wire, Json, Code], what).todo(todo)
        }
    })
}

fn typed(ty: &Type) -> String {
    match ty {
        Type::Scalar(name) | Type::Message(name) | Type::Enum(name) => format!("`{name}`"),
    }
}

fn shown(label: &Label) -> String {
    match label {
        Label::Plain => "a plain value".to_owned(),
        Label::Optional => "optional".to_owned(),
        Label::Required => "required".to_owned(),
        Label::Repeated => "repeated".to_owned(),
        Label::Map(key) => format!("a map by {key}"),
    }
}

impl Message {
    fn number_of(&self, name: &str) -> Option<u32> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(_, field)| field.name == name);
        found.map(|(number, _)| *number)
    }

    /// The numbers of the fields of a oneof.
    fn members(&self, oneof: &str) -> BTreeSet<u32> {
        let is_in = |field: &Field| field.oneof.as_deref() == Some(oneof);
        let fields = self.fields.iter().filter(|(_, field)| is_in(field));
        fields.map(|(number, _)| *number).collect()
    }
}
