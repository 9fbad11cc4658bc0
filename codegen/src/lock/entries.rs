//! The lines of a lock that belong to a declaration, and the words of a line.
//!
//! Refuses a word that is not known there, and a line that ends too early.
//! Invariant: nothing of a line is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::slice::Iter;
use std::str::FromStr;

use super::entry::Entry;
use super::model::{Bodies, Enum, Field, Idempotency, Label, Message, Route, Rpc, Type};
use super::shape::without_case;
use super::text::UNKNOWN_ACCESS;

pub(super) const AGAIN: &str =
    "take the file of the last commit; or remove it and run `cargo bridge accept`";

pub(super) type Outcome<T = ()> = Result<T, String>;

pub(super) fn rpc_entry(rpc: &mut Rpc, words: &[String]) -> Outcome {
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

pub(super) fn message_entry(message: &mut Message, words: &[String]) -> Outcome {
    let mut rest = words.iter();
    let first = next(&mut rest)?;
    if first == "reserved" {
        return reserved(words, &mut message.reserved, &mut message.reserved_names);
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

pub(super) fn enum_entry(found: &mut Enum, words: &[String]) -> Outcome {
    let (number, name) = match words {
        [word, ..] if word == "reserved" => {
            return reserved(words, &mut found.reserved, &mut found.reserved_names);
        }
        [word, name] if word == "default" => {
            found.default = Some(name.clone());
            return Ok(());
        }
        [number, name] => (number, name),
        [number, name, alias] if alias == "alias" => {
            found.aliases.insert(name.clone());
            (number, name)
        }
        _ => return Err(unknown(&words.join(" "))),
    };
    let number = number.parse().map_err(|_| unknown(number))?;
    found.values.insert(name.clone(), number);
    Ok(())
}

/// `reserved FIRST LAST` of numbers, or `reserved NAME`.
fn reserved<N: FromStr + Ord>(
    words: &[String],
    numbers: &mut BTreeSet<(N, N)>,
    names: &mut BTreeSet<String>,
) -> Outcome {
    match words {
        [_, name] => names.insert(name.clone()),
        [_, first, last] => {
            let range = first.parse().ok().zip(last.parse().ok());
            let range = range.filter(|(first, last): &(N, N)| first <= last);
            numbers.insert(range.ok_or_else(|| unknown(&words.join(" ")))?)
        }
        _ => return Err(unknown(&words.join(" "))),
    };
    Ok(())
}

pub(super) fn event_entry(events: &mut BTreeMap<String, String>, words: &[String]) -> Outcome {
    let [address, message] = words else {
        return Err(unknown(&words.join(" ")));
    };
    events.insert(address.clone(), message.clone());
    Ok(())
}

pub(super) fn route_entry(route: &mut Route, words: &[String]) -> Outcome {
    match (words, &mut route.access) {
        ([word, state], access) if [word, state] == UNKNOWN_ACCESS => *access = None,
        ([word, path], Some(access)) if word == "server" => {
            access.servers.insert(path.clone());
        }
        ([word, way @ ..], Some(access)) if word == "security" => {
            access.security.insert(way.iter().cloned().collect());
        }
        _ => return shape_entry(route, words),
    }
    Ok(())
}

fn shape_entry(route: &mut Route, words: &[String]) -> Outcome {
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
            // Locks were written with the case of the document.
            route.shape.insert(without_case(place), entry);
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
pub(super) fn words(line: &str) -> Outcome<Vec<String>> {
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
