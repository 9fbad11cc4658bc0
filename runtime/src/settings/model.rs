//! What a setting is, which values it takes, and how text becomes a value. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::time::Duration;

/// Most words of a list, and letters of one of them.
const WORDS_MAX: usize = 64;
const WORD_LETTERS_MAX: usize = 64;

/// One setting: its name, kind, bounds, default and meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `section.name`, with the unit last.
    pub key: &'static str,
    /// One line for people.
    pub doc: &'static str,
    /// Whether a change waits for the next start.
    pub needs_restart: bool,
    kind: Kind,
    default: Initial,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer {
        unit: &'static str,
        min: i64,
        max: i64,
    },
    Switch,
    Choice(&'static [&'static str]),
    Words,
}

/// Which values a setting takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of an integer; empty when it has none.
    pub unit: &'static str,
    /// Least value of an integer.
    pub min: Option<i64>,
    /// Greatest value of an integer.
    pub max: Option<i64>,
    /// Every value of a choice.
    pub choices: &'static [&'static str],
}

/// A [`Value`] that a constant can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Initial {
    Integer(i64),
    Switch(bool),
    /// Of a choice or of a list.
    Text(&'static str),
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// In the setting's unit.
    Integer(i64),
    /// On or off.
    Switch(bool),
    /// One of the setting's words.
    Choice(&'static str),
    /// Words with commas between them, in the order they were given; may be empty.
    Words(Cow<'static, str>),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Switch(on) => on.fmt(f),
            Self::Choice(word) => f.write_str(word),
            Self::Words(words) => f.write_str(words),
        }
    }
}

impl Setting {
    pub(super) const fn integer(
        key: &'static str,
        unit: &'static str,
        default: i64,
        (min, max): (i64, i64),
    ) -> Self {
        assert!(
            min <= default && default <= max,
            "a default lies within its bounds"
        );
        let (kind, default) = (Kind::Integer { unit, min, max }, Initial::Integer(default));
        Self {
            key,
            doc: "",
            needs_restart: false,
            kind,
            default,
        }
    }

    pub(super) const fn switch(key: &'static str, default: bool) -> Self {
        let (kind, default) = (Kind::Switch, Initial::Switch(default));
        Self {
            key,
            doc: "",
            needs_restart: false,
            kind,
            default,
        }
    }

    pub(super) const fn capture(key: &'static str, default: Capture) -> Self {
        let (kind, default) = (Kind::Choice(&Capture::WORDS), Initial::Text(default.word()));
        Self {
            key,
            doc: "",
            needs_restart: false,
            kind,
            default,
        }
    }

    pub(super) const fn words(key: &'static str, default: &'static str) -> Self {
        let (kind, default) = (Kind::Words, Initial::Text(default));
        Self {
            key,
            doc: "",
            needs_restart: false,
            kind,
            default,
        }
    }

    pub(super) const fn at_restart(mut self) -> Self {
        self.needs_restart = true;
        self
    }

    pub(super) const fn documented(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// The value without a row in the table.
    pub fn default(&self) -> Value {
        match (self.default, self.kind) {
            (Initial::Integer(number), _) => Value::Integer(number),
            (Initial::Switch(on), _) => Value::Switch(on),
            (Initial::Text(words), Kind::Words) => Value::Words(Cow::Borrowed(words)),
            (Initial::Text(word), _) => Value::Choice(word),
        }
    }

    /// The part before the dot.
    pub fn section(&self) -> &'static str {
        self.key.split_once('.').map_or("", |(section, _)| section)
    }

    /// `integer`, `switch`, `choice` or `words`.
    pub const fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Integer { .. } => "integer",
            Kind::Switch => "switch",
            Kind::Choice(_) => "choice",
            Kind::Words => "words",
        }
    }

    /// Which values it takes, for programs.
    pub fn limits(&self) -> Limits {
        let (unit, min, max, choices) = match self.kind {
            Kind::Integer { unit, min, max } => (unit, Some(min), Some(max), &[][..]),
            Kind::Choice(words) => ("", None, None, words),
            Kind::Switch | Kind::Words => ("", None, None, &[][..]),
        };
        Limits {
            unit,
            min,
            max,
            choices,
        }
    }

    /// Which values it takes, for people: `1000 to 60000 ms`, `true or false`.
    pub fn bounds(&self) -> String {
        match self.kind {
            Kind::Integer { unit, min, max } => {
                format!("{min} to {max} {unit}").trim_end().to_owned()
            }
            Kind::Switch => "true or false".to_owned(),
            Kind::Choice(words) => words.join(", "),
            Kind::Words => "words of a-z, 0-9, _ and -, with commas between them".to_owned(),
        }
    }

    /// The value that `text` stands for, if the setting takes it.
    pub fn parse(&self, text: &str) -> Option<Value> {
        match self.kind {
            Kind::Integer { min, max, .. } => {
                let number = text
                    .parse()
                    .ok()
                    .filter(|number| (min..=max).contains(number));
                number.map(Value::Integer)
            }
            Kind::Switch => text.parse().ok().map(Value::Switch),
            Kind::Choice(words) => words
                .iter()
                .copied()
                .find(|word| *word == text)
                .map(Value::Choice),
            Kind::Words => words(text).map(|words| Value::Words(Cow::Owned(words))),
        }
    }
}

/// The list in one spelling, if it is one: lowercase, no blanks, no word twice.
fn words(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some(String::new());
    }
    let mut words: Vec<String> = Vec::new();
    for word in text.split(',') {
        let word = word.trim().to_ascii_lowercase();
        let letter = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        if word.is_empty() || word.len() > WORD_LETTERS_MAX || !word.bytes().all(letter) {
            return None;
        }
        if !words.contains(&word) {
            words.push(word);
        }
    }
    (words.len() <= WORDS_MAX).then(|| words.join(","))
}

/// A setting and the Rust type its value is read as.
#[derive(Debug)]
pub struct Key<T> {
    pub(super) setting: &'static Setting,
    read_as: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    pub(super) const fn new(setting: &'static Setting) -> Self {
        Self {
            setting,
            read_as: PhantomData,
        }
    }

    /// What it is called, in the table and to people.
    pub const fn name(&self) -> &'static str {
        self.setting.key
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

/// A type a setting can be read as.
pub trait FromValue: Sized {
    /// The value, `None` when the setting is of another kind.
    fn from_value(value: Value) -> Option<Self>;
}

impl FromValue for Duration {
    /// Integers of settings in milliseconds.
    fn from_value(value: Value) -> Option<Self> {
        u64::from_value(value).map(Self::from_millis)
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Switch(on) => Some(on),
            Value::Integer(_) | Value::Choice(_) | Value::Words(_) => None,
        }
    }
}

impl FromValue for Vec<String> {
    fn from_value(value: Value) -> Option<Self> {
        let Value::Words(words) = value else {
            return None;
        };
        let words = words.split(',').filter(|word| !word.is_empty());
        Some(words.map(str::to_owned).collect())
    }
}

macro_rules! from_integer {
    ($($type:ty),+) => {$(
        impl FromValue for $type {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Integer(number) => number.try_into().ok(),
                    Value::Switch(_) | Value::Choice(_) | Value::Words(_) => None,
                }
            }
        }
    )+};
}
from_integer!(u16, u32, u64, usize, i32);

/// Which payloads are kept beside their operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// None.
    None,
    /// Those of failed operations.
    Errors,
    /// All.
    All,
}

impl Capture {
    const WORDS: [&'static str; 3] = ["none", "errors", "all"];

    /// Its word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => Self::WORDS[0],
            Self::Errors => Self::WORDS[1],
            Self::All => Self::WORDS[2],
        }
    }
}

impl FromValue for Capture {
    fn from_value(value: Value) -> Option<Self> {
        let Value::Choice(word) = value else {
            return None;
        };
        [Self::None, Self::Errors, Self::All]
            .into_iter()
            .find(|it| it.word() == word)
    }
}

/// A setting as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingView {
    /// The setting.
    pub setting: &'static Setting,
    /// The value in use.
    pub value: Value,
    /// The value from the next start on, when it differs.
    pub pending: Option<Value>,
}

/// Every value in use, and what of the table could not be used.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    pub(super) in_use: HashMap<&'static str, Value>,
    pub(super) pending: HashMap<&'static str, Value>,
    /// Row key and why it is ignored.
    pub(super) ignored: BTreeMap<String, String>,
}

impl Snapshot {
    /// Values from the rows of the table; `running` keeps those that wait for a restart.
    pub(super) fn from_rows(
        all: &[&'static Setting],
        rows: &BTreeMap<String, String>,
        running: Option<&Self>,
    ) -> Self {
        let mut snapshot = Self::default();
        for setting in all {
            let stored = rows
                .get(setting.key)
                .map(|text| (text, setting.parse(text)));
            if let Some((text, None)) = stored {
                let why = format!(
                    "`{text}` is not within {}; the default is used",
                    setting.bounds()
                );
                snapshot.ignored.insert(setting.key.to_owned(), why);
            }
            let stored = stored
                .and_then(|(_, value)| value)
                .unwrap_or_else(|| setting.default());
            let running = running.and_then(|it| it.in_use.get(setting.key).cloned());
            match running.filter(|running| setting.needs_restart && *running != stored) {
                Some(running) => {
                    snapshot.in_use.insert(setting.key, running);
                    snapshot.pending.insert(setting.key, stored);
                }
                None => {
                    snapshot.in_use.insert(setting.key, stored);
                }
            }
        }
        for key in rows
            .keys()
            .filter(|key| all.iter().all(|setting| setting.key != *key))
        {
            let why = "this binary has no such setting; the row is kept".to_owned();
            snapshot.ignored.insert(key.clone(), why);
        }
        snapshot
    }

    /// Whether anything an observer could see differs.
    pub(super) fn differs_from(&self, other: &Self) -> bool {
        self.in_use != other.in_use
            || self.pending != other.pending
            || self.ignored != other.ignored
    }
}
