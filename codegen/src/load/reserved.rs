//! Numbers and names that are kept free: what says so twice, or backwards, was meant otherwise.
//!
//! Refuses what `protoc` refuses and the compiler that is used here lets through: ranges that end
//! before they begin, ranges that have a number in common, a name that is reserved twice, or used.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{DescriptorProto, EnumDescriptorProto};

use super::source_file::{SourceFile, tag};
use crate::error::Fault;

/// Descriptor path elements of what is reserved.
const EXTENSION_RANGE: i32 = 5;
const MESSAGE_RANGE: i32 = 9;
const MESSAGE_NAME: i32 = 10;
const ENUM_RANGE: i32 = 4;
const ENUM_NAME: i32 = 5;

/// Everything that is wrong with what a file keeps free.
pub(super) fn faults(file: &SourceFile) -> Vec<Fault> {
    let mut check = Check {
        file,
        faults: Vec::new(),
    };
    for (message, index) in file.descriptor.message_type.iter().zip(0..) {
        check.message(message, &[tag::MESSAGE, index]);
    }
    for (found, index) in file.descriptor.enum_type.iter().zip(0..) {
        check.enumeration(found, &[tag::ENUM, index]);
    }
    check.faults
}

/// Numbers from `start` to `end`, both of them included.
struct Range {
    start: i32,
    end: i32,
    at: Vec<i32>,
}

struct Check<'f> {
    file: &'f SourceFile,
    faults: Vec<Fault>,
}

impl Check<'_> {
    /// Messages are nested no deeper than the compiler reads them.
    fn message(&mut self, message: &DescriptorProto, at: &[i32]) {
        let range = |(start, end): (i32, i32), tag: i32, index: i32| Range {
            start,
            // A descriptor of a message has the number behind the last one.
            end: end.saturating_sub(1),
            at: [at, &[tag, index]].concat(),
        };
        let reserved = message.reserved_range.iter().zip(0..);
        let reserved = reserved.map(|(it, k)| range((it.start(), it.end()), MESSAGE_RANGE, k));
        let extensions = message.extension_range.iter().zip(0..);
        let extensions =
            extensions.map(|(it, k)| range((it.start(), it.end()), EXTENSION_RANGE, k));
        self.ranges(message.name(), extensions.chain(reserved).collect());
        self.names(message.name(), &message.reserved_name, (at, MESSAGE_NAME));
        let fields = message.field.iter().map(|it| it.name());
        self.used(fields, &message.reserved_name, (at, tag::FIELD));
        for (inner, index) in message.nested_type.iter().zip(0..) {
            self.message(inner, &[at, &[tag::NESTED_MESSAGE, index]].concat());
        }
        for (inner, index) in message.enum_type.iter().zip(0..) {
            self.enumeration(inner, &[at, &[tag::NESTED_ENUM, index]].concat());
        }
    }

    fn enumeration(&mut self, found: &EnumDescriptorProto, at: &[i32]) {
        let ranges = found.reserved_range.iter().zip(0..);
        let ranges = ranges.map(|(it, index)| Range {
            start: it.start(),
            end: it.end(),
            at: [at, &[ENUM_RANGE, index]].concat(),
        });
        self.ranges(found.name(), ranges.collect());
        self.names(found.name(), &found.reserved_name, (at, ENUM_NAME));
        let values = found.value.iter().map(|it| it.name());
        self.used(values, &found.reserved_name, (at, tag::ENUM_VALUE));
    }

    fn ranges(&mut self, owner: &str, mut ranges: Vec<Range>) {
        for Range { start, end, at } in ranges.iter().filter(|it| it.end < it.start) {
            let text = format!(
                "`{owner}` keeps the numbers {start} to {end}: a range ends where it begins or \
                 behind that"
            );
            self.faults.push(self.file.place(at).fault(text));
        }
        ranges.retain(|it| it.start <= it.end);
        ranges.sort_by(|a, b| (a.start, &a.at).cmp(&(b.start, &b.at)));
        let mut ranges = ranges.into_iter();
        let Some(mut widest) = ranges.next() else {
            return;
        };
        for range in ranges {
            if range.start <= widest.end {
                let number = range.start;
                let (first, again) = self.in_order(&widest.at, &range.at);
                let text = format!(
                    "`{owner}` keeps the number {number} here and at {first}: name it in one of them"
                );
                self.faults.push(again.fault(text));
            }
            if range.end > widest.end {
                widest = range;
            }
        }
    }

    /// Two places, the later one of the file last.
    fn in_order(&self, one: &[i32], other: &[i32]) -> (crate::place::Place, crate::place::Place) {
        let (one, other) = (self.file.place(one), self.file.place(other));
        if one.position() <= other.position() {
            (one, other)
        } else {
            (other, one)
        }
    }

    fn used<'n>(
        &mut self,
        used: impl Iterator<Item = &'n str>,
        reserved: &[String],
        (at, tag): (&[i32], i32),
    ) {
        let reserved: BTreeSet<&str> = reserved.iter().map(String::as_str).collect();
        for (name, index) in used.zip(0..).filter(|(name, _)| reserved.contains(name)) {
            let place = self.file.place(&[at, &[tag, index]].concat());
            let text = format!("`{name}` is a name that is reserved: use another one");
            self.faults.push(place.fault(text));
        }
    }

    fn names(&mut self, owner: &str, names: &[String], (at, tag): (&[i32], i32)) {
        let mut seen = BTreeMap::new();
        for (name, index) in names.iter().zip(0..) {
            let place = self.file.place(&[at, &[tag, index]].concat());
            if let Some(first) = seen.get(name) {
                let text = format!(
                    "`{owner}` keeps the name `{name}` here and at {first}: name it in one of them"
                );
                self.faults.push(place.fault(text));
            } else {
                seen.insert(name, place);
            }
        }
    }
}
