//! The reading half of [`super::text`].
//!
//! Invariant: a fault names the line and what to do; nothing is skipped but comments and blanks.

use std::collections::BTreeMap;
use std::path::Path;
use std::slice::Iter;

use super::entry::Entry;
use super::model::{Bodies, Enum, Field, Idempotency, Label, Lock, Message, Route, Rpc, Type};
use super::text::FORMAT;
use crate::error::{Error, Fault};

/// Bytes of a lock that is read; a larger file is no lock.
pub const LOCK_BYTES_MAX: u64 = 64 << 20;

const AGAIN: &str = "take the file of the last commit; or remove it and run `cargo bridge accept`";

impl Lock {
    /// Reads a lock; `None` when there is no file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not a lock of this format, with the line.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        let cannot = |error| Fault::new(path, format!("cannot read the lock ({error})"));
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot(error).into()),
            Ok(found) if found.len() > LOCK_BYTES_MAX => {
                let message = format!("is larger than {LOCK_BYTES_MAX} bytes: this is no lock");
                return Err(Fault::new(path, message).into());
            }
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(path).map_err(cannot)?;
        Self::parse(path, &text).map(Some)
    }

    /// Reads the text of a lock; `path` is the name to use in faults.
    ///
    /// # Errors
    ///
    /// When the text is not a lock of this format, with the line.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let mut reader = Reader::default();
        for (number, line) in (1..).zip(text.lines()) {
            reader.line(line).map_err(|message| Fault {
                position: Some((number, 1)),
                ..Fault::new(path, message)
            })?;
        }
        if !reader.has_format {
            let message = format!("does not say `{FORMAT}`: {AGAIN}");
            return Err(Fault::new(path, message).into());
        }
        Ok(reader.lock)
    }
}

/// The declaration that the entries below belong to.
#[derive(Clone, Debug, Default)]
enum Place {
    #[default]
    None,
    Rpc(String),
    Message(String),
    Enum(String),
    Events,
    Route(String),
}

#[derive(Default)]
struct Reader {
    lock: Lock,
    has_format: bool,
    place: Place,
}

type Outcome<T = ()> = Result<T, String>;

impl Reader {
    fn line(&mut self, line: &str) -> Outcome {
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if ["<<<<<<<", "=======", ">>>>>>>"]
            .iter()
            .any(|it| line.starts_with(it))
        {
            return Err(format!("has the conflict of a merge: {AGAIN}"));
        }
        let words = words(line)?;
        if !self.has_format {
            self.has_format = line.trim_end() == FORMAT;
            return if self.has_format {
                Ok(())
            } else {
                Err(format!("is not of the format `{FORMAT}`: {AGAIN}"))
            };
        }
        if line.starts_with(' ') {
            self.entry(&words)
        } else {
            self.head(&words)
        }
    }

    fn head(&mut self, words: &[String]) -> Outcome {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let lock = &mut self.lock;
        let (is_new, place) = match words[..] {
            ["rpc", name] => {
                let before = lock.rpcs.insert(name.to_owned(), Rpc::default());
                (before.is_none(), Place::Rpc(name.to_owned()))
            }
            ["message", name] => {
                let before = lock.messages.insert(name.to_owned(), Message::default());
                (before.is_none(), Place::Message(name.to_owned()))
            }
            ["enum", name] => {
                let before = lock.enums.insert(name.to_owned(), Enum::default());
                (before.is_none(), Place::Enum(name.to_owned()))
            }
            ["events"] => {
                let before = lock.events.replace(BTreeMap::new());
                (before.is_none(), Place::Events)
            }
            ["routes"] => {
                let before = lock.routes.replace(BTreeMap::new());
                (before.is_none(), Place::None)
            }
            ["route", method, path] => {
                let name = format!("{method} {path}");
                let routes = lock.routes.get_or_insert_default();
                let before = routes.insert(name.clone(), Route::default());
                (before.is_none(), Place::Route(name))
            }
            _ => return Err(format!("`{}` is not known here: {AGAIN}", words.join(" "))),
        };
        self.place = place;
        if is_new {
            Ok(())
        } else {
            Err(format!("`{}` is there twice: {AGAIN}", words.join(" ")))
        }
    }

    fn entry(&mut self, words: &[String]) -> Outcome {
        const PRESENT: &str = "a place is only taken when its head was read";
        let lock = &mut self.lock;
        match &self.place {
            Place::None => Err(format!("an entry belongs to nothing: {AGAIN}")),
            Place::Rpc(name) => rpc_entry(lock.rpcs.get_mut(name).expect(PRESENT), words),
            Place::Message(name) => {
                message_entry(lock.messages.get_mut(name).expect(PRESENT), words)
            }
            Place::Enum(name) => enum_entry(lock.enums.get_mut(name).expect(PRESENT), words),
            Place::Events => event_entry(lock.events.get_or_insert_default(), words),
            Place::Route(name) => {
                let routes = lock.routes.as_mut().expect(PRESENT);
                route_entry(routes.get_mut(name).expect(PRESENT), words)
            }
        }
    }
}

fn rpc_entry(rpc: &mut Rpc, words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["in", name] => rpc.input = name.to_owned(),
        ["out", name] => rpc.output = name.to_owned(),
        ["hash", hash] => rpc.hash = hash.to_owned(),
        ["stream"] => rpc.streaming = true,
        ["deprecated"] => rpc.deprecated = true,
        ["idempotency", word] => {
            let all = [
                Idempotency::Unknown,
                Idempotency::Idempotent,
                Idempotency::NoSideEffects,
            ];
            let found = all.into_iter().find(|it| it.as_str() == word);
            rpc.idempotency = found.ok_or_else(|| unknown(word))?;
        }
        ["http", method, path, ref more @ ..] => {
            let mut bodies = Bodies::default();
            for pair in more.chunks(2) {
                match pair {
                    ["body", field] => bodies.request = (*field).to_owned(),
                    ["reply", field] => bodies.reply = (*field).to_owned(),
                    _ => return Err(unknown(&pair.join(" "))),
                }
            }
            rpc.http.insert(format!("{method} {path}"), bodies);
        }
        _ => return Err(unknown(&words.join(" "))),
    }
    Ok(())
}

fn message_entry(message: &mut Message, words: &[String]) -> Outcome {
    let mut rest = words.iter();
    let first = next(&mut rest)?;
    if first == "reserved" {
        let range = match words {
            [_, first, last] => {
                let range: Option<(u32, u32)> = first.parse().ok().zip(last.parse().ok());
                range.filter(|(first, last)| first <= last)
            }
            _ => None,
        };
        match (range, words) {
            (Some(range), _) => message.reserved.insert(range),
            (None, [_, name]) => message.reserved_names.insert(name.clone()),
            _ => return Err(unknown(&words.join(" "))),
        };
        return Ok(());
    }
    let number: u32 = first.parse().map_err(|_| unknown(first))?;
    let field = field(&mut rest)?;
    if message.fields.insert(number, field).is_some() {
        return Err(format!("field number {number} is there twice: {AGAIN}"));
    }
    Ok(())
}

fn field(rest: &mut Iter<'_, String>) -> Outcome<Field> {
    let name = next(rest)?.to_owned();
    let mut word = next(rest)?;
    let label = match word {
        "optional" => Label::Optional,
        "required" => Label::Required,
        "repeated" => Label::Repeated,
        "map" => Label::Map(next(rest)?.to_owned()),
        _ => Label::Plain,
    };
    if label != Label::Plain {
        word = next(rest)?;
    }
    let ty = match word {
        "message" => Type::Message(next(rest)?.to_owned()),
        "enum" => Type::Enum(next(rest)?.to_owned()),
        scalar => Type::Scalar(scalar.to_owned()),
    };
    let mut field = Field {
        json: contract::schema::camel_case(&name),
        name,
        label,
        ty,
        oneof: None,
        default: None,
        deprecated: false,
    };
    while let Some(word) = rest.next() {
        match word.as_str() {
            "oneof" => field.oneof = Some(next(rest)?.to_owned()),
            "default" => field.default = Some(next(rest)?.to_owned()),
            "json" => field.json = next(rest)?.to_owned(),
            "deprecated" => field.deprecated = true,
            other => return Err(unknown(other)),
        }
    }
    Ok(field)
}

fn enum_entry(found: &mut Enum, words: &[String]) -> Outcome {
    let [number, name] = words else {
        return Err(unknown(&words.join(" ")));
    };
    if number == "default" {
        found.default = Some(name.clone());
        return Ok(());
    }
    let number = number.parse().map_err(|_| unknown(number))?;
    found.values.insert(name.clone(), number);
    Ok(())
}

fn event_entry(events: &mut BTreeMap<String, String>, words: &[String]) -> Outcome {
    let [address, message] = words else {
        return Err(unknown(&words.join(" ")));
    };
    events.insert(address.clone(), message.clone());
    Ok(())
}

fn route_entry(route: &mut Route, words: &[String]) -> Outcome {
    match words {
        [operation, name] if operation == "operation" => route.operation = Some(name.clone()),
        [place, presence, ty, limits @ ..] if presence == "required" || presence == "optional" => {
            let mut entry = Entry {
                ty: ty.clone(),
                required: presence == "required",
                limits: BTreeMap::new(),
            };
            for limit in limits.chunks(2) {
                let [keyword, value] = limit else {
                    return Err(format!("the line ends too early: {AGAIN}"));
                };
                entry.limits.insert(keyword.clone(), value.clone());
            }
            route.shape.insert(place.clone(), entry);
        }
        _ => return Err(unknown(&words.join(" "))),
    }
    Ok(())
}

fn next<'w>(rest: &mut Iter<'w, String>) -> Outcome<&'w str> {
    let word = rest.next().map(String::as_str);
    word.ok_or_else(|| format!("the line ends too early: {AGAIN}"))
}

fn unknown(word: &str) -> String {
    format!("`{word}` is not known here: {AGAIN}")
}

/// The words of a line; a word that starts with a quote is a JSON string.
fn words(line: &str) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        if rest.starts_with('"') {
            let mut strings = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            let Some(Ok(text)) = strings.next() else {
                return Err(format!("a quoted word does not end: {AGAIN}"));
            };
            found.push(text);
            rest = rest[strings.byte_offset()..].trim_start();
        } else {
            let (word, more) = rest.split_once(' ').unwrap_or((rest, ""));
            found.push(word.to_owned());
            rest = more.trim_start();
        }
    }
    Ok(found)
}
