//! `.proto` files of what is declared in Rust, as a set of descriptors: the form that every
//! protobuf tool reads, and from which `cargo bridge export` writes the text.
//!
//! A derived type puts itself in, and then what its fields are made of. Each package is one file.
//! Types of `google.protobuf` and of contracts that are included are referred to and not repeated:
//! their files exist.
//!
//! Refuses two types of one name, names that no `.proto` could have, and packages that refer to each
//! other in a circle, which files cannot. Invariant: the same types, put in in the same order, give
//! the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ptr;

use prost::Message as _;
use prost_types::{
    DescriptorProto, FileDescriptorProto, FileDescriptorSet, ServiceDescriptorProto, SourceCodeInfo,
};

use super::descriptors::{self, Comments, DeclaredEnum, DeclaredMessage, DeclaredRpc};
use super::table::{EnumTable, MessageTable};

/// What becomes one file.
#[derive(Debug, Default)]
struct Package {
    messages: Vec<DeclaredMessage>,
    enums: Vec<DeclaredEnum>,
    /// By full name.
    services: BTreeMap<String, Vec<DeclaredRpc>>,
}

/// Why there are no files of what was declared: every reason, one a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesError {
    /// What is wrong and what to do, each in one line.
    pub faults: Vec<String>,
}

impl fmt::Display for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.faults.join("\n"))
    }
}

impl std::error::Error for FilesError {}

/// Declarations on their way into files.
#[derive(Debug, Default)]
pub struct Files {
    packages: BTreeMap<String, Package>,
    faults: BTreeSet<String>,
}

impl Files {
    /// Puts a message in; whether it is new, and what it is made of is still to come.
    ///
    /// `oneofs` are the names of its oneofs with their comments, by their index.
    pub fn message(
        &mut self,
        table: &'static MessageTable,
        package: &'static str,
        oneofs: &'static [(&'static str, &'static str)],
    ) -> bool {
        let known = &mut self.packages.entry(package.to_owned()).or_default();
        let same = known
            .messages
            .iter()
            .find(|it| it.table.name == table.name)
            .map(|it| ptr::eq(it.table, table));
        match same {
            Some(true) => return false,
            Some(false) => self.twice(table.name),
            None => known.messages.push(DeclaredMessage { table, oneofs }),
        }
        same.is_none()
    }

    /// Puts an enum in; `docs` are the comments of its values, in their order.
    pub fn enumeration(
        &mut self,
        table: &'static EnumTable,
        package: &'static str,
        docs: &'static [&'static str],
    ) {
        let known = &mut self.packages.entry(package.to_owned()).or_default();
        let same = known
            .enums
            .iter()
            .find(|it| it.table.name == table.name)
            .map(|it| ptr::eq(it.table, table));
        match same {
            Some(true) => {}
            Some(false) => self.twice(table.name),
            None => known.enums.push(DeclaredEnum { table, docs }),
        }
    }

    /// Puts an rpc in, by the full name of its service and its own:
    /// `shop.orders.v1.Orders/Place`. Its messages are put in by themselves.
    pub fn rpc(
        &mut self,
        name: &str,
        input: &'static MessageTable,
        output: &'static MessageTable,
        streaming: bool,
    ) {
        let parts = name
            .split_once('/')
            .and_then(|(service, rpc)| Some((service, service.rsplit_once('.')?.0, rpc)));
        let is_name = |(service, _, rpc): &(&str, &str, &str)| {
            service.split('.').all(is_identifier) && is_identifier(rpc)
        };
        let Some((service, package, rpc)) = parts.filter(is_name) else {
            self.faults.insert(format!(
                "`{name}` is not called as an rpc is: write the package, the service and the rpc, \
                 such as `shop.orders.v1.Orders/Place`"
            ));
            return;
        };
        let package = self.packages.entry(package.to_owned()).or_default();
        let known = package.services.entry(service.to_owned()).or_default();
        let same = known.iter().find(|it| it.name == rpc).map(|it| {
            ptr::eq(it.input, input) && ptr::eq(it.output, output) && it.streaming == streaming
        });
        match same {
            Some(true) => {}
            Some(false) => {
                self.faults.insert(format!(
                    "rpc `{name}` is declared twice, with different messages: give one of them \
                     another name"
                ));
            }
            None => known.push(DeclaredRpc {
                name: rpc.to_owned(),
                input,
                output,
                streaming,
            }),
        }
    }

    /// The files as a `google.protobuf.FileDescriptorSet`, comments included, each file after those
    /// of the set that it imports.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the declarations.
    pub fn descriptor_set(&self) -> Result<Vec<u8>, FilesError> {
        let mut faults = self.faults.clone();
        let made: BTreeMap<&str, Made> = self
            .packages
            .iter()
            .map(|(name, package)| (name.as_str(), self.file(name, package)))
            .collect();
        let mut set = FileDescriptorSet::default();
        let mut ordered = BTreeSet::new();
        for name in made.keys() {
            self.clashes(name, &made[name].file, &mut faults);
            if let Err(circle) = arrange(name, &made, &mut Vec::new(), &mut ordered, &mut set) {
                faults.insert(circle);
            }
        }
        if faults.is_empty() {
            Ok(set.encode_to_vec())
        } else {
            let faults = faults.into_iter().collect();
            Err(FilesError { faults })
        }
    }

    fn twice(&mut self, name: &str) {
        self.faults.insert(format!(
            "two types are called `{name}`: give one of them another `name` or `package`"
        ));
    }

    /// A message, an enum, a service and the values of enums of a package share one room for names.
    fn clashes(&self, package: &str, file: &FileDescriptorProto, faults: &mut BTreeSet<String>) {
        let mut taken = BTreeSet::new();
        let values = file.enum_type.iter().flat_map(|it| &it.value);
        let names = file
            .message_type
            .iter()
            .map(DescriptorProto::name)
            .chain(file.enum_type.iter().map(|it| it.name()))
            .chain(file.service.iter().map(ServiceDescriptorProto::name))
            .chain(values.map(|it| it.name()));
        for name in names.filter(|name| !taken.insert(*name)) {
            faults.insert(format!(
                "`{name}` is declared twice in the package `{package}`, where messages, enums, \
                 their values and services have one name each: give one of them another `name`"
            ));
        }
    }

    fn file(&self, name: &str, package: &Package) -> Made {
        let mut comments = Comments::default();
        let messages = package.messages.iter().zip(0..);
        let messages = messages.map(|(it, index)| descriptors::message(it, index, &mut comments));
        let messages: Vec<_> = messages.collect();
        let enums = package.enums.iter().zip(0..);
        let enums = enums.map(|(it, index)| descriptors::enumeration(it, index, &mut comments));
        let enums: Vec<_> = enums.collect();
        let services = package.services.iter();
        let services = services.map(|(name, rpcs)| descriptors::service(name, rpcs));
        let mut file = FileDescriptorProto {
            name: Some(file_name(name)),
            package: Some(name.to_owned()),
            message_type: messages,
            enum_type: enums,
            service: services.collect(),
            syntax: Some("proto3".to_owned()),
            source_code_info: Some(SourceCodeInfo {
                location: comments.0,
            }),
            ..FileDescriptorProto::default()
        };
        let mut packages = BTreeSet::new();
        let mut imports = BTreeSet::new();
        for referred in referred(&file) {
            let referred = referred.trim_start_matches('.');
            if let Some(file) = well_known_file(referred) {
                imports.insert(file.to_owned());
            }
            let owner = self.packages.iter().find(|(_, it)| it.declares(referred));
            if let Some((owner, _)) = owner.filter(|(owner, _)| *owner != name) {
                imports.insert(file_name(owner));
                packages.insert(owner.clone());
            }
        }
        file.dependency = imports.into_iter().collect();
        Made { file, packages }
    }
}

impl Package {
    fn declares(&self, full_name: &str) -> bool {
        let messages = self.messages.iter().map(|it| it.table.name);
        let enums = self.enums.iter().map(|it| it.table.name);
        messages.chain(enums).any(|it| it == full_name)
    }
}

/// A file, and the packages that it needs the files of.
struct Made {
    file: FileDescriptorProto,
    packages: BTreeSet<String>,
}

/// Adds the file of a package behind those that it imports.
fn arrange<'m>(
    name: &'m str,
    made: &'m BTreeMap<&str, Made>,
    around: &mut Vec<&'m str>,
    ordered: &mut BTreeSet<&'m str>,
    set: &mut FileDescriptorSet,
) -> Result<(), String> {
    if let Some(first) = around.iter().position(|it| *it == name) {
        let mut circle: Vec<_> = around[first..].iter().map(|it| format!("`{it}`")).collect();
        circle.sort();
        return Err(format!(
            "the packages {} refer to each other, and files cannot import in a circle: give what \
             belongs together one package",
            circle.join(" and ")
        ));
    }
    if ordered.contains(name) {
        return Ok(());
    }
    around.push(name);
    for inner in &made[name].packages {
        arrange(inner, made, around, ordered, set)?;
    }
    around.pop();
    ordered.insert(name);
    set.file.push(made[name].file.clone());
    Ok(())
}

/// The types that the fields and rpcs of a file name, with a leading dot.
fn referred(file: &FileDescriptorProto) -> impl Iterator<Item = &str> {
    let entries = file.message_type.iter().flat_map(|it| &it.nested_type);
    let messages = file.message_type.iter().chain(entries);
    let fields = messages.flat_map(|it| &it.field).map(|it| it.type_name());
    let methods = file.service.iter().flat_map(|it| &it.method);
    let rpcs = methods.flat_map(|it| [it.input_type(), it.output_type()]);
    fields.chain(rpcs).filter(|name| !name.is_empty())
}

/// `shop.orders.v1` is `shop/orders/v1/orders.proto`.
fn file_name(package: &str) -> String {
    let is_version = |it: &&str| {
        let digits = it.strip_prefix('v').unwrap_or_default();
        digits.starts_with(|c: char| c.is_ascii_digit())
    };
    let mut names = package.rsplit('.');
    let name = names.find(|it| !is_version(it)).unwrap_or(package);
    format!("{}/{name}.proto", package.replace('.', "/"))
}

/// The file that everybody imports a type of `google.protobuf` from.
fn well_known_file(full_name: &str) -> Option<&'static str> {
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "Timestamp" => "google/protobuf/timestamp.proto",
        "Duration" => "google/protobuf/duration.proto",
        "FieldMask" => "google/protobuf/field_mask.proto",
        "Struct" | "Value" | "ListValue" | "NullValue" => "google/protobuf/struct.proto",
        "Any" => "google/protobuf/any.proto",
        "Empty" => "google/protobuf/empty.proto",
        _ => "google/protobuf/wrappers.proto",
    })
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
