//! What an object of a question may hold, read from its published schema. Pure.
//!
//! Refuses members that nobody knows, members given twice, and values outside of the limits.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The members of an object and what each may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    rules: BTreeMap<String, Rule>,
    required: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Rule {
    kind: Kind,
    least: Option<i64>,
    most: Option<i64>,
    /// Letters.
    shortest: Option<u64>,
    longest: Option<u64>,
    words: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    Integer,
    Switch,
    Text,
    #[default]
    Other,
}

impl Shape {
    /// Of the schema of an object.
    pub(super) fn of(schema: &Value) -> Self {
        let none = Map::new();
        let members = schema["properties"].as_object().unwrap_or(&none);
        let rules = members
            .iter()
            .map(|(name, it)| (name.clone(), Rule::of(it)));
        let required = schema["required"].as_array().into_iter().flatten();
        Self {
            rules: rules.collect(),
            required: required
                .filter_map(|it| it.as_str().map(str::to_owned))
                .collect(),
        }
    }

    /// Texts as they come in an address, as the object they stand for.
    pub(super) fn read<N: AsRef<str>, T: AsRef<str>>(
        &self,
        pairs: impl Iterator<Item = (N, T)>,
    ) -> Result<Value, String> {
        let mut object = Map::new();
        for (name, text) in pairs {
            let (name, text) = (name.as_ref(), text.as_ref());
            let value = self.rule(name)?.value(name, text)?;
            if object.insert(name.to_owned(), value).is_some() {
                return Err(format!("`{name}` is given twice; give it once"));
            }
        }
        self.check(&object)?;
        Ok(Value::Object(object))
    }

    /// Whether the members of an object are known, there, and within their limits.
    pub(super) fn check(&self, object: &Map<String, Value>) -> Result<(), String> {
        for (name, value) in object {
            self.rule(name)?.check(name, value)?;
        }
        let missing = self.required.iter().find(|it| !object.contains_key(*it));
        missing.map_or(Ok(()), |it| Err(format!("`{it}` is missing")))
    }

    fn rule(&self, name: &str) -> Result<&Rule, String> {
        self.rules.get(name).ok_or_else(|| {
            let known: Vec<_> = self.rules.keys().map(|it| format!("`{it}`")).collect();
            let name: String = name.chars().take(60).collect();
            match &known[..] {
                [] => format!("`{name}` is not known here; nothing can be given"),
                _ => format!("`{name}` is not known here; use {}", known.join(", ")),
            }
        })
    }
}

impl Rule {
    fn of(schema: &Value) -> Self {
        let is = |word: &str| match &schema["type"] {
            Value::Array(types) => types.iter().any(|it| it == word),
            it => it == word,
        };
        let kind = if is("integer") {
            Kind::Integer
        } else if is("boolean") {
            Kind::Switch
        } else if is("string") {
            Kind::Text
        } else {
            Kind::Other
        };
        let words = schema["enum"].as_array().into_iter().flatten();
        Self {
            kind,
            least: schema["minimum"].as_i64(),
            most: schema["maximum"].as_i64(),
            shortest: schema["minLength"].as_u64(),
            longest: schema["maxLength"].as_u64(),
            words: words
                .filter_map(|it| it.as_str().map(str::to_owned))
                .collect(),
        }
    }

    /// The value that a text stands for.
    fn value(&self, name: &str, text: &str) -> Result<Value, String> {
        let shown: String = text.chars().take(60).collect();
        match self.kind {
            Kind::Integer => match text.parse::<i64>() {
                Ok(number) => Ok(number.into()),
                Err(_) => Err(format!(
                    "`{name}` is `{shown}`; it takes a whole number{}",
                    self.bounds()
                )),
            },
            Kind::Switch => match text {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => Err(format!("`{name}` is `{shown}`; it takes true or false")),
            },
            Kind::Text | Kind::Other => Ok(text.into()),
        }
    }

    fn bounds(&self) -> String {
        match (self.least, self.most) {
            (Some(least), Some(most)) => format!(" from {least} to {most}"),
            (Some(least), None) => format!(" from {least}"),
            (None, Some(most)) => format!(" up to {most}"),
            (None, None) => String::new(),
        }
    }

    fn check(&self, name: &str, value: &Value) -> Result<(), String> {
        if let Some(number) = value.as_i64() {
            let within =
                self.least.is_none_or(|it| number >= it) && self.most.is_none_or(|it| number <= it);
            if !within {
                return Err(format!(
                    "`{name}` is {number}; it takes a whole number{}",
                    self.bounds()
                ));
            }
        }
        let Some(text) = value.as_str() else {
            return Ok(());
        };
        let letters = text.chars().count() as u64;
        if let Some(longest) = self.longest.filter(|it| letters > *it) {
            return Err(format!(
                "`{name}` has {letters} letters; it takes at most {longest}"
            ));
        }
        if let Some(shortest) = self.shortest.filter(|it| letters < *it) {
            return Err(format!(
                "`{name}` has {letters} letters; it takes at least {shortest}"
            ));
        }
        if !self.words.is_empty() && !self.words.iter().any(|it| it == text) {
            let words = self.words.join(", ");
            return Err(format!("`{text}` is not a value of `{name}`; use {words}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape() -> Shape {
        Shape::of(&json!({
            "properties": {
                "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": 500 },
                "failed": { "type": "boolean" },
                "name": { "type": "string", "minLength": 2, "maxLength": 5 },
                "order": { "type": "string", "enum": ["newest", "slowest"] },
            },
            "required": ["name"],
        }))
    }

    fn read(pairs: &[(&str, &str)]) -> Result<Value, String> {
        shape().read(pairs.iter().copied())
    }

    #[test]
    fn texts_become_what_they_stand_for() {
        let given = [
            ("limit", "500"),
            ("failed", "true"),
            ("name", "ab"),
            ("order", "newest"),
        ];
        let object = json!({ "limit": 500, "failed": true, "name": "ab", "order": "newest" });
        assert_eq!(read(&given), Ok(object));
    }

    #[test]
    fn what_the_schema_does_not_allow_is_refused_with_a_sentence() {
        let name = ("name", "ab");
        for (given, sentence) in [
            (
                ("limit", "0"),
                "`limit` is 0; it takes a whole number from 1 to 500",
            ),
            (
                ("limit", "501"),
                "`limit` is 501; it takes a whole number from 1 to 500",
            ),
            (
                ("limit", "ten"),
                "`limit` is `ten`; it takes a whole number from 1 to 500",
            ),
            (
                ("failed", "yes"),
                "`failed` is `yes`; it takes true or false",
            ),
            (
                ("order", "best"),
                "`best` is not a value of `order`; use newest, slowest",
            ),
            (("name", "abc"), "`name` is given twice; give it once"),
            (
                ("nmae", "x"),
                "`nmae` is not known here; use `failed`, `limit`, `name`, `order`",
            ),
        ] {
            assert_eq!(read(&[name, given]), Err(sentence.to_owned()), "{given:?}");
        }
        assert_eq!(read(&[]), Err("`name` is missing".to_owned()));
        let long = read(&[("name", "abcdef")]);
        assert_eq!(
            long,
            Err("`name` has 6 letters; it takes at most 5".to_owned())
        );
        let short = read(&[("name", "ä")]);
        assert_eq!(
            short,
            Err("`name` has 1 letters; it takes at least 2".to_owned())
        );
    }
}
