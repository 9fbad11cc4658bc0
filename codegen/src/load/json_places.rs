//! Where the keys of a JSON document are, for faults that are known by a path such as `$.input.A`.
//!
//! Only for text that a JSON parser has accepted already: anything else gives fewer places, never
//! a panic. Keys inside arrays have none.

use std::collections::BTreeMap;

/// Byte offsets of all keys, by their path from `$`; and those that are there again, which a
/// parser takes for the only ones.
pub(super) fn places(text: &str) -> (BTreeMap<String, usize>, Vec<(String, usize)>) {
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
        found: BTreeMap::new(),
        again: Vec::new(),
    };
    scan.found.insert("$".to_owned(), 0);
    scan.document(text);
    (scan.found, scan.again)
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    found: BTreeMap<String, usize>,
    again: Vec<(String, usize)>,
}

/// What is open: an object with its path, or an array.
enum Open {
    Object(String),
    Array,
}

impl Scan<'_> {
    fn document(&mut self, text: &str) {
        let mut open: Vec<Open> = Vec::new();
        let mut next = "$".to_owned();
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'{' => open.push(Open::Object(std::mem::take(&mut next))),
                b'[' => open.push(Open::Array),
                b'}' | b']' => {
                    open.pop();
                }
                b'"' => {
                    let start = self.at;
                    self.string();
                    let key = text.get(start..self.at).filter(|_| self.is_key());
                    if let (Some(key), Some(Open::Object(path))) = (key, open.last()) {
                        let key = key.trim_matches('"');
                        next = format!("{path}.{key}");
                        if self.found.insert(next.clone(), start).is_some() {
                            self.add_again(&next, start);
                        }
                    }
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Told once, not for what is in it too; inside arrays paths are no names.
    fn add_again(&mut self, path: &str, start: usize) {
        let is_inside = |(other, _): &(String, usize)| {
            let rest = path.strip_prefix(other.as_str());
            rest.is_some_and(|it| it.starts_with('.'))
        };
        if path.starts_with('$') && !self.again.iter().any(is_inside) {
            self.again.push((path.to_owned(), start));
        }
    }

    /// Moves behind the string that starts here.
    fn string(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(self.bytes.len());
    }

    /// Whether what was just passed is followed by a colon.
    fn is_key(&self) -> bool {
        let mut rest = self.bytes[self.at..].iter();
        rest.find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
    }
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn keys_are_found_by_their_path_and_values_are_not_keys() {
        let text = r#"{ "a": "x:\" {", "b": { "c": [ {"d": 1} ], "e": "c" }, "f": {} }"#;
        let (places, again) = places(text);
        assert_eq!(again, []);
        let shown: Vec<_> = places
            .iter()
            .map(|(path, at)| (path.as_str(), *at))
            .collect();
        let at = |key: &str| text.find(key).expect("in the text");
        assert_eq!(places["$.b.c"], at("\"c\": ["));
        assert_eq!(places["$.b.e"], at("\"e\""));
        assert_eq!(places["$.f"], at("\"f\""));
        assert!(shown.iter().all(|(path, _)| *path != "$.x"), "{shown:?}");
    }

    #[test]
    fn a_key_that_is_there_again_is_told_once_and_keys_of_two_objects_are_not_again() {
        let again = |text: &str| -> Vec<_> {
            let (_, again) = places(text);
            again
                .into_iter()
                .map(|(path, at)| format!("{path} {at}"))
                .collect()
        };
        assert_eq!(again(r#"{"a":{"b":1},"a":{"b":1}}"#), ["$.a 13"]);
        assert_eq!(
            again(r#"{"a":[{"b":1},{"b":1},{"b":1}],"c":{"b":1}}"#),
            [""; 0]
        );
    }

    #[test]
    fn text_that_ends_too_early_gives_what_there_is() {
        for text in ["{\"a", "{\"a\": {\"b\\", "{\"a\": \"", "[[["] {
            assert!(places(text).0.contains_key("$"));
        }
    }
}
