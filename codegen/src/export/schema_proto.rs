//! `.proto` text of `.schema.json` contracts: all rpcs of a service, as it is called on the wire.
//!
//! The names of objects inside messages are part of the contract hash, and the format gives them
//! names without a package. So they are in a file of their own, which has none; the service and
//! its requests and replies, whose names are in no hash, are in the package that clients ask for.
//!
//! Refuses field names that `.proto` cannot write or tell apart. Invariant: the bytes are those of the
//! `.schema.json` files, and the hashes, too, unless a note says that they cannot be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use contract::schema::{Cardinality, Field, Message, Schema, Type, camel_case};

use super::proto_options::quoted;
use super::text::marked;
use crate::error::{Error, Fault};
use crate::load::SchemaFile;
use crate::model::{Method, Service};

const OBJECTS_NOTE: &str = "its objects are named by their place and have no package, as in the \
                            contract hash: compile it apart from other contracts with objects of \
                            the same names";
const HASH_NOTE: &str = "its rpcs have different objects of one name, so the objects are in the \
                         package here and the contract hash is another one: enough for plain gRPC; \
                         whoever joins a runtime needs the .schema.json files";

/// A file as it is to be written.
pub(crate) struct Written {
    /// Its path below the folder that imports start in.
    pub(crate) path: String,
    pub(crate) text: String,
    /// What whoever uses it must know; empty for nothing.
    pub(crate) note: &'static str,
}

/// The files of a service, whose rpcs come with the files that declare them.
pub(crate) fn protos(
    service: &Service,
    rpcs: &[(&Method, &SchemaFile)],
) -> Result<Vec<Written>, Error> {
    Error::unless_empty(unwritable(rpcs))?;
    let path = service.package.replace('.', "/");
    let sources: Vec<_> = rpcs.iter().map(|(_, file)| file.name.as_str()).collect();
    let head = format!("// From {}.\n", sources.join(", "));
    let Some(objects) = objects(rpcs) else {
        let text = format!("{head}{}", service_text(service, HASH_NOTE, ""));
        let text = text + &messages_text(rpcs, true);
        return Ok(vec![written(format!("{path}.proto"), &text, HASH_NOTE)]);
    };
    if objects.is_empty() {
        let text = format!("{head}{}", service_text(service, "", ""));
        let text = text + &messages_text(rpcs, false);
        return Ok(vec![written(format!("{path}.proto"), &text, "")]);
    }
    let objects_path = format!("{path}.objects.proto");
    let text = format!(
        "{head}{}{}",
        service_text(service, OBJECTS_NOTE, &objects_path),
        messages_text(rpcs, false)
    );
    // Code in a package of Java cannot refer to code in none.
    let mut beside = format!(
        "{head}{}syntax = \"proto3\";\n\noption java_package = \"{}\";\n",
        comment(OBJECTS_NOTE),
        service.package
    );
    beside.extend(objects.values().map(|it| message(it, it.name(), "")));
    Ok(vec![
        written(format!("{path}.proto"), &text, OBJECTS_NOTE),
        written(objects_path, &beside, "what the file above imports"),
    ])
}

fn written(path: String, text: &str, note: &'static str) -> Written {
    Written {
        path,
        text: marked(text),
        note,
    }
}

/// The file down to the end of the service.
fn service_text(service: &Service, note: &str, import: &str) -> String {
    let mut text = comment(note);
    let _ = write!(
        text,
        "syntax = \"proto3\";\n\npackage {};\n",
        service.package
    );
    if !import.is_empty() {
        let _ = write!(text, "\nimport \"{import}\";\n");
    }
    let _ = write!(text, "\nservice {} {{\n", service.name);
    for rpc in service.methods.iter().map(|it| &it.name) {
        let _ = writeln!(text, "  rpc {rpc}({rpc}_Input) returns ({rpc}_Output);");
    }
    text.push_str("}\n");
    text
}

/// Requests and replies; objects, too, if they are in the package.
fn messages_text(rpcs: &[(&Method, &SchemaFile)], with_objects: bool) -> String {
    let mut text = String::new();
    for (method, file) in rpcs {
        let scope = if with_objects { &*method.name } else { "" };
        for schema in [&file.contract.input, &file.contract.output] {
            let is_here = |it: &&Message| with_objects || it.full_name == schema.root;
            for it in in_order(schema).filter(is_here) {
                let name = format!("{}_{}", method.name, it.name());
                text.push_str(&message(it, &name, scope));
            }
        }
    }
    text
}

/// The objects inside of messages; none if there are different ones of one name.
fn objects<'f>(rpcs: &[(&Method, &'f SchemaFile)]) -> Option<BTreeMap<&'f str, &'f Message>> {
    let mut found: BTreeMap<&str, &Message> = BTreeMap::new();
    let files = rpcs.iter().map(|(_, file)| &file.contract);
    for schema in files.flat_map(|it| [&it.input, &it.output]) {
        for object in in_order(schema).skip(1) {
            let other = found.insert(&object.full_name, object);
            if other.is_some_and(|other| other != object) {
                return None;
            }
        }
    }
    Some(found)
}

/// Every field that has no place in a `.proto`, at the section that it is in.
fn unwritable(rpcs: &[(&Method, &SchemaFile)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (_, file) in rpcs {
        let sections = [
            ("$.input", &file.contract.input),
            ("$.output", &file.contract.output),
        ];
        for (section, schema) in sections {
            let problems = in_order(schema).flat_map(problems);
            faults.extend(problems.map(|text| file.place(section).fault(text)));
        }
    }
    faults
}

fn problems(message: &Message) -> Vec<String> {
    let mut found = Vec::new();
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for name in message.fields.iter().map(|it| it.json_name.as_str()) {
        if !is_identifier(name) {
            found.push(format!(
                "field `{name}` has a name that .proto cannot write: use letters, digits and `_`, a \
                 letter first"
            ));
        }
        // What compilers of proto3 compare.
        let letters = name.replace('_', "").to_ascii_lowercase();
        if let Some(other) = taken.insert(letters, name) {
            found.push(format!(
                "field `{name}` and field `{other}` differ by `_` or by the case of letters alone, \
                 which a .proto cannot have: give one another name"
            ));
        }
    }
    found
}

/// The root first, then what is in it.
fn in_order(schema: &Schema) -> impl Iterator<Item = &Message> {
    let others = schema.messages.values();
    let others = others.filter(|it| it.full_name != schema.root);
    std::iter::once(schema.root()).chain(others)
}

/// A message; objects are called as the format does, or with `scope` before it.
fn message(message: &Message, name: &str, scope: &str) -> String {
    let mut text = format!("\nmessage {name} {{\n");
    for field in &message.fields {
        text.push_str(&line(field, scope));
    }
    text.push_str("}\n");
    text
}

fn line(field: &Field, scope: &str) -> String {
    let label = match field.cardinality {
        Cardinality::Repeated => "repeated ",
        _ => "",
    };
    let ty = match &field.ty {
        Type::Scalar(scalar) => scalar.keyword().to_owned(),
        Type::Message(name) | Type::Enum(name) if scope.is_empty() => name.clone(),
        Type::Message(name) | Type::Enum(name) => {
            format!("{scope}_{}", name.trim_start_matches('.'))
        }
    };
    let name = &field.json_name;
    // The format's names are the JSON names as they are.
    let options = if camel_case(name) == *name {
        String::new()
    } else {
        format!(" [json_name = {}]", quoted(name.as_bytes()))
    };
    format!("  {label}{ty} {name} = {}{options};\n", field.number)
}

/// A note as lines of a comment.
fn comment(note: &str) -> String {
    const WIDTH: usize = 96;
    let note = match note.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}.", first.to_uppercase()),
        None => return String::new(),
    };
    let mut lines: Vec<String> = Vec::new();
    for word in note.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("// {word}")),
        }
    }
    lines.iter().map(|it| format!("{it}\n")).collect()
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
