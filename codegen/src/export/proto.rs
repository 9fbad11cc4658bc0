//! `.proto` text of compiled files: what a descriptor set says, in the language people read.
//!
//! Types are named in full, with a leading dot, so that no scope can change their meaning.
//! Refuses groups. Invariant: the same descriptor gives the same bytes, and compiling them gives
//! messages of the same shape, so every contract hash stays.

use std::collections::HashMap;

use prost_reflect::{
    DynamicMessage, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, FileDescriptor, Kind,
    MessageDescriptor, MethodDescriptor, ServiceDescriptor, Syntax,
};
use prost_types::field_descriptor_proto::Label;
use prost_types::source_code_info::Location;

use super::proto_field::{bracketed, field_options, label, type_name};
use super::proto_options::{options, quoted};
use super::text::marked;

/// Where comments of a file as a whole stand: its `syntax` and its `package`.
const SYNTAX_PATH: [i32; 1] = [12];
const PACKAGE_PATH: [i32; 1] = [2];

/// The text of a file.
///
/// # Errors
///
/// The full name of a field that is a group.
pub(crate) fn proto(file: &FileDescriptor) -> Result<String, String> {
    let descriptor = file.file_descriptor_proto();
    let locations = descriptor
        .source_code_info
        .iter()
        .flat_map(|info| &info.location);
    let mut writer = Writer {
        text: String::new(),
        depth: 0,
        is_proto2: file.syntax() == Syntax::Proto2,
        locations: locations.map(|it| (it.path.clone(), it)).collect(),
    };
    writer.head(file);
    for found in file.enums() {
        writer.enumeration(&found);
    }
    for message in file.messages() {
        writer.message(&message)?;
    }
    writer.extensions(file.extensions())?;
    for service in file.services() {
        writer.service(&service);
    }
    Ok(marked(&writer.text))
}

struct Writer<'f> {
    text: String,
    depth: usize,
    is_proto2: bool,
    locations: HashMap<Vec<i32>, &'f Location>,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        if !text.is_empty() {
            self.text.push_str(&"  ".repeat(self.depth));
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    fn open(&mut self, text: &str) {
        self.line(&format!("{text} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    fn comment(&mut self, path: &[i32]) {
        let Some(location) = self.locations.get(path).copied() else {
            return;
        };
        let comments = [&location.leading_comments, &location.trailing_comments];
        for text in comments.into_iter().flatten() {
            for line in text.trim_end().split('\n') {
                self.line(format!("//{line}").trim_end());
            }
        }
    }

    fn options(&mut self, of: &DynamicMessage) {
        for option in options(of, &[]) {
            self.line(&format!("option {option};"));
        }
    }

    fn head(&mut self, file: &FileDescriptor) {
        let descriptor = file.file_descriptor_proto();
        self.comment(&SYNTAX_PATH);
        self.line(if self.is_proto2 {
            "syntax = \"proto2\";"
        } else {
            "syntax = \"proto3\";"
        });
        if !file.package_name().is_empty() {
            self.line("");
            self.comment(&PACKAGE_PATH);
            self.line(&format!("package {};", file.package_name()));
        }
        let mut imports: Vec<_> = descriptor.dependency.iter().zip(0..).collect();
        imports.sort();
        if !imports.is_empty() {
            self.line("");
        }
        for (name, index) in imports {
            let is_public = descriptor.public_dependency.contains(&index);
            let word = if is_public { "public " } else { "" };
            self.line(&format!("import {word}{};", quoted(name.as_bytes())));
        }
        let options = file.options();
        if options.fields().next().is_some() || options.extensions().next().is_some() {
            self.line("");
            self.options(&options);
        }
    }

    fn message(&mut self, message: &MessageDescriptor) -> Result<(), String> {
        self.line("");
        self.comment(message.path());
        self.open(&format!("message {}", message.name()));
        self.options(&message.options());
        let mut fields: Vec<_> = message.fields().collect();
        fields.sort_by_key(|field| field.path().last().copied());
        let mut written = Vec::new();
        for field in &fields {
            match field.containing_oneof().filter(|it| !it.is_synthetic()) {
                Some(group) if written.contains(&group.path().to_vec()) => {}
                Some(group) => {
                    written.push(group.path().to_vec());
                    self.comment(group.path());
                    self.open(&format!("oneof {}", group.name()));
                    self.options(&group.options());
                    let is_member = |it: &&FieldDescriptor| {
                        it.containing_oneof().is_some_and(|other| other == group)
                    };
                    for member in fields.iter().filter(is_member) {
                        self.field(member, "")?;
                    }
                    self.close();
                }
                None => self.field(field, label(field, self.is_proto2))?,
            }
        }
        self.numbers(message);
        for found in message.child_enums() {
            self.enumeration(&found);
        }
        for child in message.child_messages().filter(|it| !it.is_map_entry()) {
            self.message(&child)?;
        }
        self.extensions(message.child_extensions())?;
        self.close();
        Ok(())
    }

    /// What the message sets aside.
    fn numbers(&mut self, message: &MessageDescriptor) {
        const MAX: u32 = (1 << 29) - 1;
        let range = |first: u32, end: u32| match end - 1 {
            last if last == first => first.to_string(),
            last if last >= MAX => format!("{first} to max"),
            last => format!("{first} to {last}"),
        };
        for it in message.extension_ranges() {
            self.line(&format!("extensions {};", range(it.start, it.end)));
        }
        for it in message.reserved_ranges() {
            self.line(&format!("reserved {};", range(it.start, it.end)));
        }
        for name in message.reserved_names() {
            self.line(&format!("reserved {};", quoted(name.as_bytes())));
        }
    }

    fn field(&mut self, field: &FieldDescriptor, label: &str) -> Result<(), String> {
        if field.is_group() {
            return Err(field.full_name().to_owned());
        }
        self.comment(field.path());
        let ty = match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
                format!(
                    "map<{}, {}>",
                    type_name(&key.kind()),
                    type_name(&value.kind())
                )
            }
            kind => format!("{label}{}", type_name(&kind)),
        };
        let proto = field.field_descriptor_proto();
        let options = field_options(&field.options(), proto, &field.default_value());
        self.line(&format!(
            "{ty} {} = {}{options};",
            field.name(),
            field.number()
        ));
        Ok(())
    }

    fn extensions(
        &mut self,
        extensions: impl Iterator<Item = ExtensionDescriptor>,
    ) -> Result<(), String> {
        for extension in extensions {
            if extension.is_group() {
                return Err(extension.full_name().to_owned());
            }
            self.line("");
            self.open(&format!(
                "extend .{}",
                extension.containing_message().full_name()
            ));
            self.comment(extension.path());
            let proto = extension.field_descriptor_proto();
            let label = match proto.label() {
                Label::Repeated => "repeated ",
                _ if self.is_proto2 || proto.proto3_optional() => "optional ",
                _ => "",
            };
            let options = field_options(&extension.options(), proto, &extension.default_value());
            let (ty, name) = (type_name(&extension.kind()), extension.name());
            self.line(&format!(
                "{label}{ty} {name} = {}{options};",
                extension.number()
            ));
            self.close();
        }
        Ok(())
    }

    fn enumeration(&mut self, found: &EnumDescriptor) {
        self.line("");
        self.comment(found.path());
        self.open(&format!("enum {}", found.name()));
        self.options(&found.options());
        let mut values: Vec<_> = found.values().collect();
        values.sort_by_key(|value| value.path().last().copied());
        for value in values {
            self.comment(value.path());
            let options = bracketed(options(&value.options(), &[]));
            self.line(&format!("{} = {}{options};", value.name(), value.number()));
        }
        for it in found.reserved_ranges() {
            let (first, last) = (it.start(), it.end());
            self.line(&match last {
                last if last == first => format!("reserved {first};"),
                &i32::MAX => format!("reserved {first} to max;"),
                last => format!("reserved {first} to {last};"),
            });
        }
        for name in found.reserved_names() {
            self.line(&format!("reserved {};", quoted(name.as_bytes())));
        }
        self.close();
    }

    fn service(&mut self, service: &ServiceDescriptor) {
        self.line("");
        self.comment(service.path());
        self.open(&format!("service {}", service.name()));
        self.options(&service.options());
        for method in service.methods() {
            self.method(&method);
        }
        self.close();
    }

    fn method(&mut self, method: &MethodDescriptor) {
        self.comment(method.path());
        let stream = |is: bool| if is { "stream " } else { "" };
        let text = format!(
            "rpc {}({}.{}) returns ({}.{})",
            method.name(),
            stream(method.is_client_streaming()),
            method.input().full_name(),
            stream(method.is_server_streaming()),
            method.output().full_name(),
        );
        let options = method.options();
        if super::proto_options::options(&options, &[]).is_empty() {
            self.line(&format!("{text};"));
            return;
        }
        self.open(&text);
        self.options(&options);
        self.close();
    }
}
