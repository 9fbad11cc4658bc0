//! From the model to the text of files: one for each package, and the tree of all.
//!
//! Messages come from prost's generator, services from [`rust`]; both end up in one syntax tree
//! that is printed once, so the file reads as if one hand had written it.
//!
//! Invariant: the text has no absolute path, time or version in it.

mod docs;
mod tree;
mod types;

mod rust;

use std::collections::{BTreeMap, HashMap};

use prost_build::Module;
use prost_types::FileDescriptorProto;

use crate::error::{Error, Fault};
use crate::load::Sources;
use crate::model::{Model, Package};
use types::Types;

/// Lints that would say something about generated code that nobody can act on.
const QUIET_LINTS: &str =
    "clippy::all, clippy::pedantic, dead_code, deprecated, missing_docs, unreachable_pub";

/// A generated file.
pub(crate) struct Rendered {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Renders every package, then the tree.
pub(crate) fn render(sources: &Sources, model: &Model) -> Result<Vec<Rendered>, Error> {
    let types = Types::new(model);
    let mut messages = generate_messages(sources, &types)?;
    let answered = rust::answered_by(model, &types);
    let mut files = Vec::new();
    for (name, package) in &model.packages {
        let code = messages.remove(&module(name)).unwrap_or_default();
        let mut syntax = parse(name, &code)?;
        let pairs = answered
            .get(name.as_str())
            .map(Vec::as_slice)
            .unwrap_or_default();
        let services = rust::services(name, package, pairs, &types).to_string();
        syntax.items.extend(parse(name, &services)?.items);
        syntax.items.iter_mut().for_each(quieten);
        let text = format!(
            "{}\n{}",
            header(sources, name, package),
            prettyplease::unparse(&syntax)
        );
        files.push(Rendered {
            name: file_name(name),
            text,
        });
    }
    files.push(Rendered {
        name: "mod.rs".to_owned(),
        text: tree::render(model),
    });
    Ok(files)
}

/// The file of a package: its name and `.rs`, or `_.rs` without one.
pub(super) fn file_name(package: &str) -> String {
    format!("{}.rs", if package.is_empty() { "_" } else { package })
}

fn module(package: &str) -> Module {
    Module::from_protobuf_package_name(package)
}

fn generate_messages(
    sources: &Sources,
    types: &Types<'_>,
) -> Result<HashMap<Module, String>, Error> {
    let mut config = prost_build::Config::new();
    config.prost_path("::bridge::__rt::prost");
    for (proto, rust) in types::well_known_paths(sources) {
        config.extern_path(proto, rust);
    }
    // The well-known files take part, since the generator looks into their messages; each of their
    // types has a path already, so nothing is generated for them.
    let requests = sources
        .files
        .iter()
        .map(|file| (module(file.package()), with_safe_comments(&file.descriptor)))
        .collect();
    config.generate(requests).map_err(|error| {
        let first = types
            .model()
            .packages
            .keys()
            .next()
            .map_or("", String::as_str);
        let path = file_name(first);
        Fault::new(
            path.as_ref(),
            format!("the message generator refuses the contracts: {error}"),
        )
        .into()
    })
}

/// The same file with comments that cannot turn into tests, and without services.
fn with_safe_comments(file: &FileDescriptorProto) -> FileDescriptorProto {
    let mut file = file.clone();
    file.service.clear();
    for location in file
        .source_code_info
        .iter_mut()
        .flat_map(|info| &mut info.location)
    {
        location.leading_detached_comments.clear();
        for comment in [
            &mut location.leading_comments,
            &mut location.trailing_comments,
        ] {
            *comment = comment.take().map(|text| docs::without_tests(&text));
        }
    }
    file
}

/// Puts the crate's own lints out of force for what its authors did not write.
///
/// Item by item, because an included file cannot have inner attributes.
fn quieten(item: &mut syn::Item) {
    let attributes = match item {
        syn::Item::Struct(item) => &mut item.attrs,
        syn::Item::Enum(item) => &mut item.attrs,
        syn::Item::Mod(item) => &mut item.attrs,
        syn::Item::Impl(item) if item.trait_.is_none() => &mut item.attrs,
        _ => return,
    };
    let docs = attributes
        .iter()
        .take_while(|it| it.path().is_ident("doc"))
        .count();
    let lints: proc_macro2::TokenStream = QUIET_LINTS
        .parse()
        .expect("the list of lints is made of paths");
    attributes.insert(docs, syn::parse_quote!(#[allow(#lints)]));
}

fn parse(package: &str, code: &str) -> Result<syn::File, Error> {
    syn::parse_file(code).map_err(|error| {
        let path = file_name(package);
        let text = format!("the generated code is not valid rust ({error}): report this contract");
        Fault::new(path.as_ref(), text).into()
    })
}

fn header(sources: &Sources, name: &str, package: &Package) -> String {
    let files = package.files.join(", ");
    let mut lines = format!("// Generated by bridge-codegen from {files}. Do not edit.\n");
    let others = referred_packages(sources, name);
    if !others.is_empty() {
        let others = others.join(", ");
        lines.push_str(&format!(
            "// Refers to {others}: include the whole tree, `bridge::include_contract!(\"mod\")`.\n"
        ));
    }
    lines
}

/// The packages whose types the package's messages or rpcs mention.
fn referred_packages(sources: &Sources, package: &str) -> Vec<String> {
    let mut packages = BTreeMap::new();
    let mut refer = |type_name: &str| {
        let name = type_name.trim_start_matches('.');
        let message = sources
            .pool
            .get_message_by_name(name)
            .map(|found| found.parent_file());
        let file = message.or_else(|| {
            sources
                .pool
                .get_enum_by_name(name)
                .map(|found| found.parent_file())
        });
        if let Some(file) = file
            && file.package_name() != package
            && !file.package_name().starts_with("google.protobuf")
        {
            packages.insert(file.package_name().to_owned(), ());
        }
    };
    for file in sources
        .files
        .iter()
        .filter(|file| file.package() == package)
    {
        let mut pending: Vec<_> = file.descriptor.message_type.iter().collect();
        while let Some(message) = pending.pop() {
            message
                .field
                .iter()
                .for_each(|field| refer(field.type_name()));
            pending.extend(&message.nested_type);
        }
        for method in file
            .descriptor
            .service
            .iter()
            .flat_map(|service| &service.method)
        {
            refer(method.input_type());
            refer(method.output_type());
        }
    }
    packages.into_keys().collect()
}
