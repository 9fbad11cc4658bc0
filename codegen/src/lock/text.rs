//! A lock as text: one fact a line, so that a diff of the file is the change of the contract.
//!
//! Lines of its own instead of TOML: a field is one line, and a reviewer reads it without counting
//! brackets. Declarations start a line, their entries are indented by two spaces, words that hold
//! blanks are JSON strings. Refuses a file of another format, an unknown word and a conflict of a
//! merge, each with its line.
//!
//! Invariant: the same lock always gives the same bytes, and reading them gives the same lock.

use std::fmt::Write as _;

use super::model::{Field, Label, Lock, Message, Route, Rpc, Type};

/// The first line that is no comment.
pub(super) const FORMAT: &str = "lock 1";

const HEAD: &str = "\
# The accepted contract, one fact a line: `cargo bridge accept` writes it, `cargo bridge check` and
# the build compare with it. Commit it, and read its diff in review.
";

impl Lock {
    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = Writer(format!("{HEAD}{FORMAT}\n"));
        for (name, rpc) in &self.rpcs {
            out.rpc(name, rpc);
        }
        for (name, message) in &self.messages {
            out.message(name, message);
        }
        for (name, found) in &self.enums {
            out.head("enum", name);
            if let Some(default) = &found.default {
                out.line(["default".to_owned(), word(default)]);
            }
            let mut values: Vec<_> = found.values.iter().collect();
            values.sort_by_key(|(name, number)| (**number, name.as_str()));
            for (name, number) in values {
                out.line([number.to_string(), word(name)]);
            }
        }
        // None at all is another thing than a list that nobody made, of events as of routes.
        if let Some(events) = &self.events {
            out.0.push_str("\nevents\n");
            for (address, message) in events {
                out.line([word(address), word(message)]);
            }
        }
        if let Some(routes) = &self.routes {
            out.0.push_str("\nroutes\n");
            routes.iter().for_each(|(key, route)| out.route(key, route));
        }
        out.0
    }
}

struct Writer(String);

impl Writer {
    fn head(&mut self, keyword: &str, name: &str) {
        let _ = writeln!(self.0, "\n{keyword} {}", word(name));
    }

    fn line(&mut self, words: impl IntoIterator<Item = String>) {
        let words: Vec<_> = words.into_iter().collect();
        let _ = writeln!(self.0, "  {}", words.join(" "));
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
        for (first, last) in &message.reserved {
            self.line(["reserved".to_owned(), first.to_string(), last.to_string()]);
        }
        for name in &message.reserved_names {
            self.line(["reserved".to_owned(), word(name)]);
        }
    }

    fn route(&mut self, key: &str, route: &Route) {
        let _ = writeln!(self.0, "\nroute {}", route_words(key));
        if let Some(operation) = &route.operation {
            self.line(["operation".to_owned(), word(operation)]);
        }
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
