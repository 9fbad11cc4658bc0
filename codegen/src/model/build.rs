//! Puts the model together from everything that was loaded.
//!
//! Of `google.protobuf` only what somebody uses becomes part of it: `descriptor.proto` is imported
//! for the sake of options, and nobody wants hundreds of lines for that.
//!
//! Invariant: the model is closed, and its messages have finite sizes.

use std::collections::BTreeSet;

use super::{Model, Package, Type, closure, enums, messages, qualified, schema_files, services};
use crate::error::{Error, Fault};
use crate::load::{SourceFile, Sources, tag};
use crate::names;

/// The longest name of a package, in bytes: generated and exported files are called like it, and
/// file systems have 255 for a name with everything that is added to it.
const PACKAGE_NAME_MAX: usize = 200;

/// Builds the model of all that was loaded.
///
/// # Errors
///
/// Files that contradict each other.
pub(crate) fn build(sources: &Sources) -> Result<Model, Error> {
    Error::unless_empty(long_names(sources))?;
    let mut model = Model::default();
    for file in &sources.files {
        read_file(&mut model, sources, file);
    }
    drop_unused_foundations(&mut model, sources.knows_api_options());
    let mut faults: Vec<Fault> = Vec::new();
    for file in &sources.schemas {
        schema_files::read(&mut model, file, &mut faults);
    }
    dangling(&model, &mut faults);
    Error::unless_empty(faults)?;
    closure::close(&mut model.messages);
    make_room_for_packages(&mut model);
    Ok(model)
}

/// Packages whose files could not be written.
fn long_names(sources: &Sources) -> Vec<Fault> {
    let of_protos = sources.files.iter();
    let of_protos = of_protos.map(|it| (it.package(), it.place(&[tag::PACKAGE])));
    let of_schemas = sources.schemas.iter();
    let of_schemas = of_schemas.map(|it| (it.package.as_str(), it.place("$")));
    let named = of_protos.chain(of_schemas);
    let long = named.filter(|(package, _)| package.len() > PACKAGE_NAME_MAX);
    let text = |package: &str| {
        format!(
            "the name of the package has {} bytes, and {PACKAGE_NAME_MAX} at most are allowed, \
             because files are called like it: shorten it",
            package.len()
        )
    };
    long.map(|(package, place)| place.fault(text(package)))
        .collect()
}

/// References to what is no message by itself: in broken descriptor sets, entries of maps that are
/// named from elsewhere.
fn dangling(model: &Model, faults: &mut Vec<Fault>) {
    let is_missing = |name: &String| !model.messages.contains_key(name);
    let text = |what: String, name: &str| {
        format!(
            "{what} is of `{name}`, which is no message by itself: if this is a descriptor set it \
             is a broken one, make it again with `buf build -o` or `protoc -o`"
        )
    };
    for field in model.messages.values().flat_map(|it| &it.fields) {
        let target = field.message().map(str::to_owned);
        if let Some(target) = target.filter(is_missing) {
            let what = format!("field `{}`", field.name);
            faults.push(field.said.place.fault(text(what, &target)));
        }
    }
    let services = model.packages.values().flat_map(|it| &it.services);
    for method in services.flat_map(|it| &it.methods) {
        let targets = [&method.input, &method.output].into_iter();
        for target in targets.filter(|it| is_missing(it)) {
            let what = format!("a side of rpc `{}`", method.name);
            faults.push(method.said.place.fault(text(what, target)));
        }
    }
}

/// Package `a.b` is module `a::b`. So is what is inside a message `B` of package `a`, unless the
/// package is there too: then it is `a::b_`.
fn make_room_for_packages(model: &mut Model) {
    let mut folders = BTreeSet::new();
    for (name, package) in &mut model.packages {
        package.modules = names::modules(name);
        for depth in 1..=package.modules.len() {
            folders.insert(package.modules[..depth].to_vec());
        }
    }
    for message in model.messages.values_mut().filter(|it| it.outer.is_empty()) {
        let mut module = names::modules(&message.package);
        module.push(message.module.clone());
        if message.has_module() && folders.contains(&module) {
            message.module = names::snake(&message.name)
                .trim_start_matches("r#")
                .to_owned()
                + "_";
        }
    }
}

fn read_file(model: &mut Model, sources: &Sources, file: &SourceFile) {
    let Some(declared) = sources.pool.get_file_by_name(&file.name) else {
        return;
    };
    for (message, index) in declared.messages().zip(0..) {
        messages::read(model, file, &message, &[tag::MESSAGE, index], &[]);
    }
    for (found, index) in file.descriptor.enum_type.iter().zip(0..) {
        let found = enums::read(file, found, &[tag::ENUM, index], &[]);
        model.enums.insert(found.full_name.clone(), found);
    }
    if file.is_well_known() {
        return;
    }
    let package = model.packages.entry(file.package().to_owned()).or_default();
    package.files.push(file.name.clone());
    package
        .messages
        .extend(declared.messages().map(|it| it.full_name().to_owned()));
    package
        .enums
        .extend(declared.enums().map(|it| it.full_name().to_owned()));
    services::read(model, file, &declared);
}

/// Leaves of `google.protobuf` what other packages lead to, and of the options that come with us.
fn drop_unused_foundations(model: &mut Model, has_options: bool) {
    let is_foundation = |package: &str| {
        package == "google.protobuf"
            || package.starts_with("google.protobuf.")
            || (has_options && package == "google.api")
    };
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut pending: Vec<String> = Vec::new();
    for package in model.packages.values().flat_map(|it| &it.services) {
        for method in &package.methods {
            pending.extend([method.input.clone(), method.output.clone()]);
        }
    }
    let others = model.messages.values();
    pending.extend(
        others
            .filter(|it| !is_foundation(&it.package))
            .map(|it| it.full_name.clone()),
    );
    while let Some(name) = pending.pop() {
        let outermost = outermost(model, &name);
        if !used.insert(outermost.clone()) {
            continue;
        }
        pending.extend(referred(model, &outermost));
    }
    let keep = |package: &str, name: &str, outer: &[String]| {
        let top = outer.first().map_or(name, String::as_str);
        !is_foundation(package) || used.contains(&format!("{package}.{top}"))
    };
    model
        .messages
        .retain(|_, it| it.is_well_known() || keep(&it.package, &it.name, &it.outer));
    model
        .enums
        .retain(|name, it| name == super::NULL_VALUE || keep(&it.package, &it.name, &it.outer));
    let (messages, enums) = (&model.messages, &model.enums);
    model.packages.retain(|name, package: &mut Package| {
        if !is_foundation(name) {
            return true;
        }
        package.messages.retain(|it| messages.contains_key(it));
        package.enums.retain(|it| enums.contains_key(it));
        !(package.messages.is_empty() && package.enums.is_empty() && package.services.is_empty())
    });
}

/// The full name of the outermost type around a type.
fn outermost(model: &Model, name: &str) -> String {
    let message = model.messages.get(name);
    let message = message.map(|it| (&it.package, &it.outer));
    let found = model.enums.get(name).map(|it| (&it.package, &it.outer));
    match message.or(found) {
        Some((package, outer)) if !outer.is_empty() => qualified(package, &outer[0]),
        _ => name.to_owned(),
    }
}

/// All types that the fields of a message, and of the messages inside it, refer to.
fn referred(model: &Model, outermost: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut pending = vec![outermost.to_owned()];
    while let Some(name) = pending.pop() {
        let Some(message) = model.messages.get(&name) else {
            continue;
        };
        pending.extend(message.messages.iter().cloned());
        names.extend(message.fields.iter().filter_map(|it| match &it.ty {
            Type::Message(name) | Type::Enum(name) => Some(name.clone()),
            Type::Scalar(_) => None,
        }));
    }
    names
}
