//! An enum: its numbers with names as variants, and one for every other number.

use std::collections::BTreeMap;

use super::docs;
use super::paths::table_name;
use super::text::{Text, quoted};
use crate::model::{Enum, EnumValue, NULL_VALUE};
use crate::names;

/// Writes an enum.
pub(super) fn render(text: &mut Text, found: &Enum) {
    if found.full_name == NULL_VALUE {
        return;
    }
    let name = names::camel(&found.name);
    let (variants, aliases) = variants(found);
    let comments = docs::lines(&found.said.comments);
    text.docs(comments.iter().map(String::as_str));
    if found.outer.is_empty() {
        text.quiet();
    }
    text.line("#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]");
    text.braces(format!("pub enum {name}"), |text| {
        for (index, value) in variants.iter().enumerate() {
            let comments = docs::lines(&value.said.comments);
            text.docs(comments.iter().map(String::as_str));
            text.deprecated(value.said.deprecated);
            if index == 0 {
                text.line("#[default]");
            }
            text.line(format!("{},", names::variant(&found.name, &value.name)));
        }
        text.line("/// A number that this version of the contract has no name for.");
        text.line("Unrecognized(i32),");
    });
    text.line("");
    constants(text, found, &aliases);
    describe(text, found, &variants);
}

/// The first constant of each number, and the others with the first's variant.
fn variants(found: &Enum) -> (Vec<&EnumValue>, Vec<(&EnumValue, String)>) {
    let mut first: BTreeMap<i32, &EnumValue> = BTreeMap::new();
    let (mut variants, mut aliases) = (Vec::new(), Vec::new());
    for value in &found.values {
        match first.get(&value.number) {
            Some(of) => aliases.push((value, names::variant(&found.name, &of.name))),
            None => {
                first.insert(value.number, value);
                variants.push(value);
            }
        }
    }
    (variants, aliases)
}

/// Aliases look like variants, so that code reads the same whichever of them it names.
fn constants(text: &mut Text, found: &Enum, aliases: &[(&EnumValue, String)]) {
    let mut taken: Vec<String> = found
        .values
        .iter()
        .filter(|it| !aliases.iter().any(|(alias, _)| alias.name == it.name))
        .map(|it| names::variant(&found.name, &it.name))
        .collect();
    let mut new = Vec::new();
    for (alias, of) in aliases {
        let name = names::variant(&found.name, &alias.name);
        if !taken.contains(&name) {
            taken.push(name.clone());
            new.push((alias, name, of));
        }
    }
    if new.is_empty() {
        return;
    }
    text.line("#[allow(deprecated, missing_docs, non_upper_case_globals)]");
    text.braces(format!("impl {}", names::camel(&found.name)), |text| {
        for (alias, name, of) in new {
            let comments = docs::lines(&alias.said.comments);
            text.docs(comments.iter().map(String::as_str));
            text.deprecated(alias.said.deprecated);
            text.line(format!("pub const {name}: Self = Self::{of};"));
        }
    });
    text.line("");
}

fn describe(text: &mut Text, found: &Enum, variants: &[&EnumValue]) {
    text.braces("::bridge::__rt::describe_enum!", |text| {
        text.line(format!(
            "{} as {}, {}, closed: {}, doc: {};",
            names::camel(&found.name),
            table_name(&found.name),
            quoted(&found.full_name),
            found.closed,
            quoted(&docs::plain(&found.said.comments)),
        ));
        let numbered: Vec<_> = variants
            .iter()
            .map(|it| format!("{} = {}", names::variant(&found.name, &it.name), it.number))
            .collect();
        text.line(format!("variants {{ {} }}", numbered.join(", ")));
        let named: Vec<_> = found
            .values
            .iter()
            .map(|it| format!("{} = {}", quoted(&it.name), it.number))
            .collect();
        text.line(format!("names {{ {} }}", named.join(", ")));
    });
}
