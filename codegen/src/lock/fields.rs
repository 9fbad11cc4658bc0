//! Differences between two states of one message.
//!
//! Decides by number, which is what travels; a name counts for JSON and for code.

use std::collections::BTreeSet;

use super::change::Breaks::{Code, Json, Wire};
use super::change::{Change, Verdict};
use super::model::{Field, Label, Message, Type};

/// A change of a field, or of the message itself when the number is 0.
pub(super) type Numbered = (u32, Change);

/// Every difference of the message called `name`.
pub(super) fn compare(name: &str, old: &Message, new: &Message) -> Vec<Numbered> {
    let mut found = Vec::new();
    let numbers: BTreeSet<u32> = old
        .fields
        .keys()
        .chain(new.fields.keys())
        .copied()
        .collect();
    for number in numbers {
        let changes = match (old.fields.get(&number), new.fields.get(&number)) {
            (Some(before), Some(now)) => differences(name, number, before, now),
            (Some(before), None) => vec![removed(name, number, before, new)],
            (None, Some(now)) => added(name, number, now, old).into_iter().collect(),
            (None, None) => Vec::new(),
        };
        found.extend(changes.into_iter().map(|change| (number, change)));
    }
    found.extend(
        reservations(name, old, new)
            .into_iter()
            .map(|change| (0, change)),
    );
    found
}

fn removed(message: &str, number: u32, field: &Field, new: &Message) -> Change {
    let name = &field.name;
    let elsewhere = new.fields.iter().find(|(_, other)| other.name == *name);
    if let Some((other, _)) = elsewhere {
        let what = format!("`{message}`: field `{name}` has number {other} instead of {number}");
        let todo = format!("give it number {number} back; a number is what travels");
        return Change::major(&[Wire], what).todo(todo);
    }
    let what = format!("`{message}`: field {number} `{name}` is gone");
    let breaks: &[_] = match field.label {
        Label::Required => &[Wire, Json, Code],
        _ => &[Json, Code],
    };
    let todo = if new.holds_back(number) && new.reserved_names.contains(name) {
        "its number and name are reserved: accept it once nobody reads the field".to_owned()
    } else {
        format!("put it back, or write `reserved {number}; reserved \"{name}\";` and accept")
    };
    Change::major(breaks, what).todo(todo)
}

/// `None` for a field that moved: that is told once, where it was.
fn added(message: &str, number: u32, field: &Field, old: &Message) -> Option<Change> {
    let name = &field.name;
    if old.fields.values().any(|other| other.name == *name) {
        return None;
    }
    let what = format!("`{message}`: field {number} `{name}` is new");
    if old.holds_back(number) || old.reserved_names.contains(name) {
        let what = format!("{what}, though its number or name was reserved");
        let todo = "take a number and a name that were never used";
        return Some(Change::major(&[Wire, Json], what).todo(todo));
    }
    if field.label == Label::Required {
        let what = format!("{what} and required");
        let todo = "make it optional; what was sent before does not have it";
        return Some(Change::major(&[Wire, Json], what).todo(todo));
    }
    let todo = match &field.oneof {
        Some(_) => "give each `match` that lists every member of the oneof an arm for it, or a `_`",
        None => "end each literal that names every field in `..Default::default()`",
    };
    Some(Change::new(Verdict::Minor, what).todo(todo))
}

fn differences(message: &str, number: u32, old: &Field, new: &Field) -> Vec<Change> {
    let of = format!("`{message}`: field {number} `{}`", old.name);
    let mut found = Vec::new();
    if old.name != new.name {
        let what = format!("{of} is called `{}`", new.name);
        let todo = "bytes stay as they are; JSON and code name it: keep the name, or accept";
        found.push(Change::major(&[Json, Code], what).todo(todo));
    } else if old.json != new.json {
        let what = format!("{of} is `{}` in JSON instead of `{}`", new.json, old.json);
        let todo = format!("write `[json_name = \"{}\"]`", old.json);
        found.push(Change::major(&[Json], what).todo(todo));
    }
    if old.ty != new.ty {
        let what = format!("{of} is {} instead of {}", typed(&new.ty), typed(&old.ty));
        let todo = format!("keep {number} as it was, and add a field with a number of its own");
        found.push(Change::major(broken_by(&old.ty, &new.ty), what).todo(todo));
    }
    found.extend(label(&of, &old.label, &new.label));
    found.extend(oneof(&of, old, new));
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

fn oneof(of: &str, old: &Field, new: &Field) -> Option<Change> {
    if old.oneof == new.oneof {
        return None;
    }
    let what = match (&old.oneof, &new.oneof) {
        (None, None) => return None,
        (None, Some(group)) => format!("{of} is in the oneof `{group}`"),
        (Some(group), None) => format!("{of} is not in the oneof `{group}` any more"),
        (Some(before), Some(now)) => {
            format!("{of} is in the oneof `{now}` instead of `{before}`")
        }
    };
    let todo = "readers and writers disagree on what excludes what: keep the grouping";
    Some(Change::major(&[Wire, Code], what).todo(todo))
}

fn reservations(message: &str, old: &Message, new: &Message) -> Vec<Change> {
    let mut found = Vec::new();
    let taken = |numbers: &Message, first: u32, last: u32| {
        // Ranges may reach to the last possible number; their ends decide.
        numbers.holds_back(first) && numbers.holds_back(last)
    };
    for (first, last) in &old.reserved {
        let is_used = new.fields.range(*first..=*last).next().is_some();
        if !taken(new, *first, *last) && !is_used {
            let what = format!("`{message}`: numbers {first} to {last} are not reserved any more");
            let todo = "keep them reserved; old messages may still hold them";
            found.push(Change::new(Verdict::Minor, what).todo(todo));
        }
    }
    let is_new = |range: &&(u32, u32)| !taken(old, range.0, range.1);
    for (first, last) in new.reserved.iter().filter(is_new) {
        let what = format!("`{message}`: numbers {first} to {last} are reserved");
        found.push(Change::new(Verdict::Patch, what));
    }
    for name in new.reserved_names.difference(&old.reserved_names) {
        let what = format!("`{message}`: name `{name}` is reserved");
        found.push(Change::new(Verdict::Patch, what));
    }
    let gone = old.reserved_names.difference(&new.reserved_names);
    for name in gone.filter(|name| new.fields.values().all(|it| it.name != **name)) {
        let what = format!("`{message}`: name `{name}` is not reserved any more");
        found.push(Change::new(Verdict::Minor, what).todo("keep it reserved"));
    }
    found
}

/// Types that read each other's bytes, though a value may not fit.
const WIRE_KIN: [&[&str]; 5] = [
    &["int32", "uint32", "int64", "uint64", "bool"],
    &["sint32", "sint64"],
    &["fixed32", "sfixed32"],
    &["fixed64", "sfixed64"],
    &["string", "bytes"],
];

fn broken_by(old: &Type, new: &Type) -> &'static [super::change::Breaks] {
    let are_kin = |group: &&[&str]| match (old, new) {
        (Type::Scalar(old), Type::Scalar(new)) => {
            group.contains(&old.as_str()) && group.contains(&new.as_str())
        }
        _ => false,
    };
    if WIRE_KIN.iter().any(are_kin) {
        &[Json, Code]
    } else {
        &[Wire, Json, Code]
    }
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
    fn holds_back(&self, number: u32) -> bool {
        let holds = |range: &(u32, u32)| (range.0..=range.1).contains(&number);
        self.reserved.iter().any(holds)
    }
}
