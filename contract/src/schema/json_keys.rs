//! Which keys the objects of a `.schema.json` file may have.
//!
//! Refuses every other one: a key that nobody reads is a rule that its author believes in.
//!
//! Invariant: an object with nothing unknown means the same to every reader of the format.

use serde_json::{Map, Value};

/// Letters of a key that may be wrong around one place for the key to be taken for another.
const WRONG_LETTERS_MAX: usize = 2;

/// An object of the format, by what stands where it does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Object<'t> {
    /// The file.
    File,
    /// A field of this type, if it has one that is known.
    Field(Option<&'t str>),
    /// The `array` of a field, of elements of this type.
    Element(Option<&'t str>),
}

impl Object<'_> {
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::File => &["input", "output"],
            Self::Field(None) => &["type", "fieldNumber", "nested", "array"],
            Self::Field(Some("object")) => &["type", "fieldNumber", "nested"],
            Self::Field(Some("array")) => &["type", "fieldNumber", "array"],
            Self::Field(Some(_)) => &["type", "fieldNumber"],
            Self::Element(None | Some("object")) => &["type", "nested"],
            Self::Element(Some(_)) => &["type"],
        }
    }

    fn name(self) -> String {
        match self {
            Self::File => "the file".to_owned(),
            Self::Field(Some(ty)) => format!("a field of type `{ty}`"),
            Self::Field(None) => "a field".to_owned(),
            Self::Element(Some(ty)) => format!("an array's element of type `{ty}`"),
            Self::Element(None) => "an array's element".to_owned(),
        }
    }
}

/// The keys that mean nothing in an object, each with what is wrong with it.
pub(super) fn unknown<'v>(
    object: Object<'_>,
    of: &'v Map<String, Value>,
) -> impl Iterator<Item = (&'v str, String)> {
    let known = object.keys();
    let unknown = of.keys().filter(|key| !known.contains(&key.as_str()));
    unknown.map(move |key| {
        let all: Vec<_> = known.iter().map(|it| format!("`{it}`")).collect();
        let has = format!("{} has {}", object.name(), all.join(", "));
        let nearest = known.iter().find(|it| is_near(key, it));
        let problem = match nearest {
            Some(nearest) => format!("`{key}` means nothing: did you mean `{nearest}`? {has}"),
            None => format!(
                "`{key}` means nothing: {has}; remove it, or write a .proto for what this format \
                 has no word for"
            ),
        };
        (key.as_str(), problem)
    })
}

/// Whether a key that is missing is there in another spelling, which [`unknown`] tells of.
pub(super) fn is_misspelt(key: &str, of: &Map<String, Value>) -> bool {
    of.keys().any(|it| is_near(it, key))
}

/// Whether two keys are the same but for the case, or for some letters around one place.
fn is_near(key: &str, known: &str) -> bool {
    let (key, known) = (key.to_ascii_lowercase(), known.to_ascii_lowercase());
    let same = |(a, b): &(char, char)| a == b;
    let start = key.chars().zip(known.chars()).take_while(same).count();
    let end = key.chars().rev().zip(known.chars().rev());
    let end = end.take_while(same).count();
    let longer = key.chars().count().max(known.chars().count());
    start + end + WRONG_LETTERS_MAX >= longer
}
