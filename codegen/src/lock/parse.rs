//! The reading half of [`super::text`].
//!
//! Invariant: a fault names the line and what to do; nothing is skipped but comments and blanks.

use std::collections::BTreeMap;
use std::path::Path;

use super::access::Access;
use super::entries::{
    AGAIN, Outcome, enum_entry, event_entry, message_entry, route_entry, rpc_entry, words,
};
use super::model::{Enum, Lock, Message, Route, Rpc};
use super::text::{END, FIRST_FORMAT, FORMAT};
use crate::error::{Error, Fault};

/// Bytes of a lock that is read; a larger file is no lock.
pub const LOCK_BYTES_MAX: u64 = 64 << 20;

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
        // Editors of some systems put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
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
        if !reader.has_end && !reader.lock.is_first_format {
            let message = format!("does not end in `{END}`, so it was cut: {AGAIN}");
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
    has_end: bool,
    place: Place,
}

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
            return self.format(line.trim_end());
        }
        if self.has_end {
            return Err(format!("goes on behind `{END}`: {AGAIN}"));
        }
        if line.starts_with(' ') {
            self.entry(&words)
        } else {
            self.head(&words)
        }
    }

    fn format(&mut self, line: &str) -> Outcome {
        let number = line.strip_prefix("lock ");
        let number: Option<u32> = number.and_then(|it| it.parse().ok());
        match line {
            FORMAT => {}
            FIRST_FORMAT => self.lock.is_first_format = true,
            _ if number.is_some_and(|it| it > 2) => {
                return Err(format!(
                    "is of a later format than `{FORMAT}`: update `cargo-bridge` and `bridge-codegen`"
                ));
            }
            _ => return Err(format!("is not of the format `{FORMAT}`: {AGAIN}")),
        }
        self.has_format = true;
        Ok(())
    }

    fn head(&mut self, words: &[String]) -> Outcome {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let lock = &mut self.lock;
        let (is_new, place) = match words[..] {
            [END] if !lock.is_first_format => {
                self.has_end = true;
                return Ok(());
            }
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
                let route = Route {
                    access: (!lock.is_first_format).then(Access::default),
                    ..Route::default()
                };
                let before = routes.insert(name.clone(), route);
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
