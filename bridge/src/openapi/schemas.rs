//! The schemas of a document: what is read, what is written, and what is ours.
//!
//! A type that is read and written has two schemas: a field with a default may be left out of what
//! is read, and is always there in what is written. They are one component where they are equal, and
//! `Order.Input` and `Order.Output` where they are not.
//!
//! Refuses two types of one name, and two errors of one name with a code of one name, with the path
//! of each.
//!
//! Invariant: a component is in the document if something refers to it, and every reference has its
//! target.

use std::collections::{BTreeMap, BTreeSet};

use contract::message::schemars::generate::{SchemaGenerator, SchemaSettings};
use contract::message::schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::names::{Named, names};

/// Which schema of a type is meant; its number is where its references point while the document is
/// made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// What is read of a request.
    In,
    /// What is written into an answer.
    Out,
    /// What no type stands for: the problems.
    Own,
}

const WAYS: [Way; 3] = [Way::In, Way::Out, Way::Own];

impl Way {
    const fn root(self) -> &'static str {
        match self {
            Self::In => "/in",
            Self::Out => "/out",
            Self::Own => "/own",
        }
    }
}

/// A schema in the making: which way, and the name it has there.
type Key = (Way, String);

/// Components, as a document has them.
#[derive(Debug, Default)]
pub(crate) struct Components {
    pub(crate) schemas: Map<String, Value>,
    /// Where each is defined.
    pub(crate) sites: BTreeMap<String, String>,
}

/// The schemas of a document.
#[derive(Debug)]
pub(crate) struct Schemas {
    input: SchemaGenerator,
    output: SchemaGenerator,
    own: BTreeMap<String, (String, Value)>,
    faults: BTreeSet<String>,
}

/// A reference to a component of our own.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#{}/{name}", Way::Own.root()) })
}

impl Schemas {
    pub(crate) fn new() -> Self {
        let settings = |way: Way| {
            SchemaSettings::draft2020_12().with(|it| {
                it.meta_schema = None;
                it.definitions_path = way.root().into();
            })
        };
        Self {
            input: settings(Way::In).for_deserialize().into_generator(),
            output: settings(Way::Out).for_serialize().into_generator(),
            own: BTreeMap::new(),
            faults: BTreeSet::new(),
        }
    }

    pub(super) fn of<T: JsonSchema>(&mut self, way: Way) -> Value {
        let generator = match way {
            Way::In => &mut self.input,
            Way::Out | Way::Own => &mut self.output,
        };
        Schema::to_value(generator.subschema_for::<T>())
    }

    /// What is read of a request, without the reference to it.
    pub(super) fn read_plainly<T: JsonSchema>(&mut self) -> Value {
        let schema = self.of::<T>(Way::In);
        let name = target(&schema).and_then(|reference| key(&reference));
        let definition = name.and_then(|(_, name)| self.input.definitions().get(&name).cloned());
        definition.unwrap_or(schema)
    }

    /// Adds a component of our own; one that another type has added already is a fault.
    pub(super) fn add(&mut self, name: String, site: &str, schema: Value) {
        let known = self.own.get(&name).map(|(known, _)| known);
        if let Some(known) = known.filter(|known| *known != site) {
            self.faults.insert(two_with_one_code(&name, known, site));
            return;
        }
        self.own.insert(name, (site.to_owned(), schema));
    }

    /// The components that `document` refers to; its references are made to point to them.
    ///
    /// # Errors
    ///
    /// The names that two types have, each with the paths of both.
    pub(crate) fn finish(mut self, document: &mut Value) -> Result<Components, Vec<String>> {
        let mut faults = std::mem::take(&mut self.faults);
        let all = self.all();
        let used = reachable(document, &all);
        let all: BTreeMap<_, _> = all
            .into_iter()
            .filter(|(it, _)| used.contains(it))
            .collect();
        let different = different(&all);
        let mut renamed = BTreeMap::new();
        let mut components = Components::default();
        for ((way, given), (named, _)) in &all {
            let suffix = match way {
                Way::In if different.contains(&named.site) => ".Input",
                Way::Out if different.contains(&named.site) => ".Output",
                _ => "",
            };
            let name = format!("{}{suffix}", component(&named.short));
            let known = components.sites.insert(name.clone(), named.site.clone());
            if let Some(known) = known.filter(|it| *it != named.site) {
                faults.insert(two_of_one_name(&named.short, &known, &named.site));
            }
            renamed.insert((*way, given.clone()), name);
        }
        if !faults.is_empty() {
            return Err(faults.into_iter().collect());
        }
        for (key, (_, mut schema)) in all {
            point(&mut schema, &renamed);
            let name = renamed[&key].clone();
            components.schemas.insert(name, schema);
        }
        point(document, &renamed);
        Ok(components)
    }

    /// Every schema there is.
    fn all(mut self) -> BTreeMap<Key, (Named, Value)> {
        let mut all = BTreeMap::new();
        for (way, generator) in [(Way::In, &mut self.input), (Way::Out, &mut self.output)] {
            let definitions = generator.take_definitions(false);
            let mut names = names(generator);
            for (name, schema) in definitions {
                let named = names.remove(&name).unwrap_or_else(|| Named {
                    short: name.clone(),
                    site: name.clone(),
                });
                all.insert((way, name), (named, schema));
            }
        }
        for (short, (site, schema)) in self.own {
            let key = (Way::Own, short.clone());
            all.insert(key, (Named { short, site }, schema));
        }
        all
    }
}

fn two_of_one_name(name: &str, first: &str, second: &str) -> String {
    let (first, second) = (first.min(second), first.max(second));
    format!(
        "`{name}` is the name of two types, `{first}` and `{second}`: rename one of them, or give \
         it another name in documents with `#[schemars(rename = \"…\")]`"
    )
}

fn two_with_one_code(name: &str, first: &str, second: &str) -> String {
    let (first, second) = (first.min(second), first.max(second));
    format!("`{name}` is the problem of two errors, `{first}` and `{second}`: rename one of them")
}

/// What a component may be called.
fn component(name: &str) -> String {
    let allowed = |it: char| it.is_ascii_alphanumeric() || "._-".contains(it);
    name.chars()
        .map(|it| if allowed(it) { it } else { '_' })
        .collect()
}

/// What of `all` the document refers to, by however many steps.
fn reachable(document: &Value, all: &BTreeMap<Key, (Named, Value)>) -> BTreeSet<Key> {
    let mut used = BTreeSet::new();
    let mut left = references(document);
    while let Some(key) = left.pop() {
        if let Some((_, schema)) = all.get(&key)
            && used.insert(key)
        {
            left.extend(references(schema));
        }
    }
    used
}

/// The types whose two schemas are not the same, or refer to such; by their sites, because the two
/// may be called differently while the document is made.
fn different(all: &BTreeMap<Key, (Named, Value)>) -> BTreeSet<String> {
    let by_site = |wanted: Way| {
        let found = all.iter().filter(move |((way, _), _)| *way == wanted);
        let found = found.map(|(_, (named, schema))| {
            let mut schema = schema.clone();
            each_reference(&mut schema, &mut |reference| {
                let named = key(reference).and_then(|key| all.get(&key));
                if let Some((named, _)) = named {
                    reference.clone_from(&named.site);
                }
            });
            (named.site.clone(), schema)
        });
        found.collect::<BTreeMap<_, _>>()
    };
    let (read, written) = (by_site(Way::In), by_site(Way::Out));
    let both = read.iter().filter(|(site, _)| written.contains_key(*site));
    let both: Vec<_> = both.collect();
    let mut different = BTreeSet::new();
    loop {
        let known = different.len();
        for (site, schema) in &both {
            if written[*site] != **schema || leads_to(schema, &different) {
                different.insert((*site).clone());
            }
        }
        if different.len() == known {
            return different;
        }
    }
}

/// Whether a schema refers to one of `sites`.
fn leads_to(schema: &Value, sites: &BTreeSet<String>) -> bool {
    let mut does = false;
    each_reference(&mut schema.clone(), &mut |reference| {
        does |= sites.contains(reference)
    });
    does
}

fn references(value: &Value) -> Vec<Key> {
    let mut found = Vec::new();
    each_reference(&mut value.clone(), &mut |reference| {
        found.extend(key(reference))
    });
    found
}

/// Makes references in `value` point to the components.
fn point(value: &mut Value, renamed: &BTreeMap<Key, String>) {
    each_reference(value, &mut |reference| {
        if let Some(name) = key(reference).and_then(|key| renamed.get(&key)) {
            *reference = format!("#/components/schemas/{name}");
        }
    });
}

/// The `$ref` of a schema that is nothing else.
fn target(schema: &Value) -> Option<String> {
    schema.get("$ref")?.as_str().map(str::to_owned)
}

/// Where a reference in the making points.
fn key(reference: &str) -> Option<Key> {
    WAYS.into_iter().find_map(|way| {
        let rest = reference.strip_prefix('#')?.strip_prefix(way.root())?;
        Some((way, decoded(rest.strip_prefix('/')?)))
    })
}

/// The name behind what schemars writes into a reference.
fn decoded(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let [first, behind @ ..] = rest {
        let hex = behind.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = hex.and_then(|it| u8::from_str_radix(it, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    let name = String::from_utf8_lossy(&bytes);
    name.replace("~1", "/").replace("~0", "~")
}

/// Goes through the `$ref`s of a document, and those of discriminators.
fn each_reference(value: &mut Value, change: &mut dyn FnMut(&mut String)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "$ref" => change(text),
                    Value::Object(mapping) if name == "mapping" => {
                        for target in mapping.values_mut() {
                            match target {
                                Value::String(text) => change(text),
                                // A field of that name.
                                schema => each_reference(schema, change),
                            }
                        }
                    }
                    _ => each_reference(member, change),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|it| each_reference(it, change)),
        _ => {}
    }
}
