//! A lock as text: one fact a line, so that a diff of the file is the change of the contract.
//!
//! Lines of its own instead of TOML: a field is one line, and a reviewer reads it without counting
//! brackets. Declarations start a line, their entries are indented by two spaces, words that hold
//! blanks are JSON strings, and the last line is `end`. Refuses a file of a later format, one that was
//! cut, an unknown word and a conflict of a merge, with the line. A file of the first format is read as
//! it was: what it does not say is not compared.
//!
//! Invariant: the same lock always gives the same bytes, and reading them gives the same lock.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::access::Access;
use super::model::{Enum, Field, Label, Lock, Message, Route, Rpc, Type};

/// The first line that is no comment.
pub(super) const FORMAT: &str = "lock 2";
/// The same of files that know nothing of servers, security, aliases and what enums reserve, and have
/// no last line.
pub(super) const FIRST_FORMAT: &str = "lock 1";
/// What a route says whose servers and security nobody described.
pub(super) const UNKNOWN_ACCESS: [&str; 2] = ["access", "unknown"];
/// The last line, by which a file that was cut is told from a smaller contract.
pub(super) const END: &str = "end";

const HEAD: &str = "\
# The accepted contract, one fact a line: `cargo bridge accept` writes it, `cargo bridge check` and
# the build compare with it. Commit it, and read its diff in review.
";

impl Lock {
    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let format = if self.is_first_format {
            FIRST_FORMAT
        } else {
            FORMAT
        };
        let mut out = Writer {
            out: format!("{HEAD}{format}\n"),
            is_first_format: self.is_first_format,
        };
        for (name, rpc) in &self.rpcs {
            out.rpc(name, rpc);
        }
        for (name, message) in &self.messages {
            out.message(name, message);
        }
        for (name, found) in &self.enums {
            out.enumeration(name, found);
        }
        // None at all is another thing than a list that nobody made, of events as of routes.
        if let Some(events) = &self.events {
            out.out.push_str("\nevents\n");
            for (address, message) in events {
                out.line([word(address), word(message)]);
            }
        }
        if let Some(routes) = &self.routes {
            out.out.push_str("\nroutes\n");
            routes.iter().for_each(|(key, route)| out.route(key, route));
        }
        if !self.is_first_format {
            let _ = writeln!(out.out, "\n{END}");
        }
        out.out
    }
}

struct Writer {
    out: String,
    is_first_format: bool,
}

impl Writer {
    fn head(&mut self, keyword: &str, name: &str) {
        let _ = writeln!(self.out, "\n{keyword} {}", word(name));
    }

    fn line(&mut self, words: impl IntoIterator<Item = String>) {
        let words: Vec<_> = words.into_iter().collect();
        let _ = writeln!(self.out, "  {}", words.join(" "));
    }

    fn rpc(&mut self, name: &str, rpc: &Rpc) {
        self.head("rpc", name);
        self.line(["in".to_owned(), word(&rpc.input)]);
        self.line(["out".to_owned(), word(&rpc.output)]);
        self.line(["hash".to_owned(), word(&rpc.hash)]);
        self.line([
            "idempotency".to_owned(),
            rpc.idempotency.as_str().to_owned(),
        ]);
        if rpc.streaming {
            self.line(["stream".to_owned()]);
        }
        if rpc.deprecated {
            self.line(["deprecated".to_owned()]);
        }
        for (route, bodies) in &rpc.http {
            let words = ["http".to_owned(), route_words(route)];
            let request =
                (!bodies.request.is_empty()).then(|| ["body".to_owned(), word(&bodies.request)]);
            let reply =
                (!bodies.reply.is_empty()).then(|| ["reply".to_owned(), word(&bodies.reply)]);
            let more = request.into_iter().chain(reply).flatten();
            self.line(words.into_iter().chain(more));
        }
    }

    fn message(&mut self, name: &str, message: &Message) {
        self.head("message", name);
        for (number, field) in &message.fields {
            self.line(field_words(*number, field));
        }
        self.reserved(&message.reserved, &message.reserved_names);
    }

    fn enumeration(&mut self, name: &str, found: &Enum) {
        self.head("enum", name);
        if let Some(default) = &found.default {
            self.line(["default".to_owned(), word(default)]);
        }
        let mut values: Vec<_> = found.values.iter().collect();
        values.sort_by_key(|(name, number)| (**number, found.aliases.contains(*name), *name));
        for (name, number) in values {
            let alias = found.aliases.contains(name).then(|| "alias".to_owned());
            self.line([number.to_string(), word(name)].into_iter().chain(alias));
        }
        self.reserved(&found.reserved, &found.reserved_names);
    }

    fn reserved<N: ToString>(&mut self, numbers: &BTreeSet<(N, N)>, names: &BTreeSet<String>) {
        for (first, last) in numbers {
            self.line(["reserved".to_owned(), first.to_string(), last.to_string()]);
        }
        for name in names {
            self.line(["reserved".to_owned(), word(name)]);
        }
    }

    fn route(&mut self, key: &str, route: &Route) {
        let _ = writeln!(self.out, "\nroute {}", route_words(key));
        if let Some(operation) = &route.operation {
            self.line(["operation".to_owned(), word(operation)]);
        }
        self.access(route.access.as_ref());
        for (place, entry) in &route.shape {
            let presence = if entry.required {
                "required"
            } else {
                "optional"
            };
            let words = [word(place), presence.to_owned(), word(&entry.ty)];
            let limits = entry.limits.iter();
            let limits = limits.flat_map(|(keyword, value)| [word(keyword), word(value)]);
            self.line(words.into_iter().chain(limits));
        }
    }
}

impl Writer {
    fn access(&mut self, access: Option<&Access>) {
        let Some(access) = access else {
            if !self.is_first_format {
                self.line(UNKNOWN_ACCESS.map(str::to_owned));
            }
            return;
        };
        for path in &access.servers {
            self.line(["server".to_owned(), word(path)]);
        }
        for way in &access.security {
            let way = way.iter().map(|it| word(it));
            self.line(std::iter::once("security".to_owned()).chain(way));
        }
    }
}

fn field_words(number: u32, field: &Field) -> Vec<String> {
    let mut words = vec![number.to_string(), word(&field.name)];
    let mut add = |more: &[&str]| words.extend(more.iter().map(|it| word(it)));
    match &field.label {
        Label::Plain => {}
        Label::Optional => add(&["optional"]),
        Label::Required => add(&["required"]),
        Label::Repeated => add(&["repeated"]),
        Label::Map(key) => add(&["map", key]),
    }
    match &field.ty {
        Type::Scalar(keyword) => add(&[keyword]),
        Type::Message(name) => add(&["message", name]),
        Type::Enum(name) => add(&["enum", name]),
    }
    if let Some(oneof) = &field.oneof {
        add(&["oneof", oneof]);
    }
    if let Some(default) = &field.default {
        add(&["default", default]);
    }
    if field.json != contract::schema::camel_case(&field.name) {
        add(&["json", &field.json]);
    }
    if field.deprecated {
        add(&["deprecated"]);
    }
    words
}

/// `METHOD /path` is two words of a line and one name; a path may hold blanks.
fn route_words(name: &str) -> String {
    let (method, path) = name.split_once(' ').unwrap_or((name, ""));
    format!("{} {}", word(method), word(path))
}

/// The text as one word: as it is, or as a JSON string.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '"' && c != '#';
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}
