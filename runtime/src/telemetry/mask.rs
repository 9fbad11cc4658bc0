//! Secrets in captured payloads: which names mean one, and JSON or form text without their values.
//!
//! Works on text that was cut off anywhere: what follows the name of a secret is masked up to the
//! cut. Refuses to guess about anything that is neither JSON nor a form; it stays as it is.
//!
//! Invariant: bytes outside masked values are returned as they came.

use std::borrow::Cow;

/// What stands for a secret.
pub(super) const MASK: &str = "***";

/// What some put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Parts of names whose values are secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaskKeys(Vec<String>);

impl MaskKeys {
    /// Case, `_` and `-` do not count: `api_key` also finds `X-Api-Key` and `apiKey`.
    pub fn new(words: &[String]) -> Self {
        let words = words.iter().map(|word| plain(word));
        Self(words.filter(|word| !word.is_empty()).collect())
    }

    /// Whether a value under this name is a secret.
    pub fn matches(&self, name: &str) -> bool {
        let name = plain(name);
        self.0.iter().any(|word| name.contains(word.as_str()))
    }

    /// Text without its secrets: JSON, whole or cut off, or a form.
    pub fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&mask_text(text.as_bytes(), self)).into_owned()
    }

    /// An address without the password of its user and the secrets of its query.
    pub fn url(&self, url: &str) -> String {
        let (before, query) = url
            .split_once('?')
            .map_or((url, None), |(a, b)| (a, Some(b)));
        let (scheme, rest) = before.split_once("://").unwrap_or(("", before));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = match host.rsplit_once('@') {
            Some((_, host)) if !scheme.is_empty() => [MASK, "@", host].concat(),
            _ => host.to_owned(),
        };
        let scheme = if scheme.is_empty() {
            ""
        } else {
            &before[..scheme.len() + 3]
        };
        let query = query.map(|it| mask_form(it.as_bytes(), self));
        let query = query.map(|it| ["?", &String::from_utf8_lossy(&it)].concat());
        [scheme, &host, path, &query.unwrap_or_default()].concat()
    }

    /// Whether nothing is a secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
    letters.flat_map(char::to_lowercase).collect()
}

/// `text` without its secrets: JSON, whole or cut off, or a form (`a=1&b=2`).
pub(super) fn mask_text<'t>(text: &'t [u8], keys: &MaskKeys) -> Cow<'t, [u8]> {
    if keys.is_empty() {
        return Cow::Borrowed(text);
    }
    let visible = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    match visible.iter().find(|c| !c.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Cow::Owned(mask_json(text, keys)),
        Some(_) if is_form(text) => Cow::Owned(mask_form(text, keys)),
        _ => Cow::Borrowed(text),
    }
}

fn mask_json(text: &[u8], keys: &MaskKeys) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at] != b'"' {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let end = string_end(text, at);
        let value = match value_after(text, end) {
            Some(value) if is_secret(&text[at..end], keys) => value,
            _ => {
                out.extend_from_slice(&text[at..end]);
                at = end;
                continue;
            }
        };
        out.extend_from_slice(&text[at..value]);
        out.extend_from_slice(format!("\"{MASK}\"").as_bytes());
        at = value_end(text, value);
    }
    out
}

/// Just after the string that opens at `at`; the end of the text when it does not close.
fn string_end(text: &[u8], at: usize) -> usize {
    let mut next = at + 1;
    while next < text.len() {
        match text[next] {
            b'"' => return next + 1,
            b'\\' => next += 2,
            _ => next += 1,
        }
    }
    text.len()
}

fn skip_blanks(text: &[u8], at: usize) -> usize {
    let blanks = text[at..].iter().take_while(|c| c.is_ascii_whitespace());
    at + blanks.count()
}

/// Where the value starts, when the string that ends at `end` is a key and the value is there.
fn value_after(text: &[u8], end: usize) -> Option<usize> {
    let colon = skip_blanks(text, end);
    let value = (text.get(colon) == Some(&b':')).then(|| skip_blanks(text, colon + 1))?;
    (value < text.len()).then_some(value)
}

/// Escapes count as what they stand for: `passw\u006frd` is a password.
fn is_secret(quoted: &[u8], keys: &MaskKeys) -> bool {
    match serde_json::from_slice::<String>(quoted) {
        Ok(name) => keys.matches(&name),
        Err(_) => keys.matches(&String::from_utf8_lossy(quoted)),
    }
}

/// Just after the value that starts at `at`, however deep it nests.
fn value_end(text: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut next = at;
    while next < text.len() {
        match text[next] {
            b'"' => next = string_end(text, next),
            b'{' | b'[' => {
                depth += 1;
                next += 1;
            }
            b'}' | b']' | b',' if depth == 0 => return next,
            b'}' | b']' => {
                depth -= 1;
                next += 1;
            }
            c if depth == 0 && c.is_ascii_whitespace() => return next,
            _ => {
                next += 1;
                continue;
            }
        }
        if depth == 0 {
            return next;
        }
    }
    text.len()
}

fn is_form(text: &[u8]) -> bool {
    text.contains(&b'=') && text.iter().all(u8::is_ascii_graphic)
}

fn mask_form(text: &[u8], keys: &MaskKeys) -> Vec<u8> {
    let mask = |pair: &[u8]| {
        let name = pair.split(|c| *c == b'=').next().unwrap_or_default();
        if name.len() < pair.len() && keys.matches(&unescape(name)) {
            [name, b"=", MASK.as_bytes()].concat()
        } else {
            pair.to_vec()
        }
    };
    let pairs: Vec<_> = text.split(|c| *c == b'&').map(mask).collect();
    pairs.join(&b'&')
}

/// The name that `%XX` stand for in a form.
fn unescape(name: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.filter(|_| *first == b'%');
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> MaskKeys {
        let words = ["password", "secret", "token", "authorization", "api_key"];
        MaskKeys::new(&words.map(str::to_owned))
    }

    fn masked(text: &str) -> String {
        String::from_utf8(mask_text(text.as_bytes(), &keys()).into_owned()).expect("text")
    }

    #[test]
    fn names_are_matched_in_part_whatever_their_spelling() {
        for name in [
            "password",
            "userPassword",
            "API-Key",
            "x_api_key",
            "apikey",
            "ACCESS_TOKEN",
        ] {
            assert!(keys().matches(name), "{name}");
        }
        for name in ["pass", "name", "api", "k-e-y", ""] {
            assert!(!keys().matches(name), "{name}");
        }
        assert!(!MaskKeys::new(&["_".to_owned()]).matches("anything"));
    }

    #[test]
    fn values_of_any_shape_are_masked_and_the_rest_stays_byte_for_byte() {
        for (text, expected) in [
            (
                r#"{"password":"hunter2","a":1}"#,
                r#"{"password":"***","a":1}"#,
            ),
            (
                r#"{ "token" : 12.5e3 , "a":1 }"#,
                r#"{ "token" : "***" , "a":1 }"#,
            ),
            (
                r#"{"secret":{"a":["}",{}]},"b":2}"#,
                r#"{"secret":"***","b":2}"#,
            ),
            (r#"{"secrets":["x","y"]}"#, r#"{"secrets":"***"}"#),
            (
                r#"[{"a":{"Api-Key":null}},"password"]"#,
                r#"[{"a":{"Api-Key":"***"}},"password"]"#,
            ),
            (
                r#"{"a":"password","b":"secret: x"}"#,
                r#"{"a":"password","b":"secret: x"}"#,
            ),
            (r#"{"passw\u006frd":"x"}"#, r#"{"passw\u006frd":"***"}"#),
            (
                r#"{"a\"token":"x\"y","b":true}"#,
                r#"{"a\"token":"***","b":true}"#,
            ),
            (r#"{"token":true}"#, r#"{"token":"***"}"#),
            ("\u{feff} {\"token\":1}", "\u{feff} {\"token\":\"***\"}"),
            (
                "{\"token\":1}\n{\"token\":2}",
                "{\"token\":\"***\"}\n{\"token\":\"***\"}",
            ),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn a_cut_anywhere_leaves_no_secret() {
        let text = r#"{"user":"ada","password":{"now":"hunter2","old":["hunter1"]},"n":1}"#;
        for cut in 0..=text.len() {
            let masked = masked(&text[..cut]);
            assert!(!masked.contains("hunter"), "{masked}");
            assert!(masked.starts_with(&text[..cut.min(14)]), "{masked}");
        }
    }

    #[test]
    fn forms_are_masked_by_their_decoded_names() {
        assert_eq!(
            masked("user=ada&password=a%26b&x"),
            "user=ada&password=***&x"
        );
        assert_eq!(masked("api%5Fkey=1&token="), "api%5Fkey=***&token=***");
        assert_eq!(masked("token"), "token", "not a form");
        assert_eq!(masked("a token = b"), "a token = b", "prose is no form");
    }

    #[test]
    fn an_address_loses_its_password_and_the_secrets_of_its_query() {
        for (url, expected) in [
            (
                "https://ada:x@shop/a?token=1&b=2",
                "https://***@shop/a?token=***&b=2",
            ),
            ("http://shop:80/a@b", "http://shop:80/a@b"),
            ("/orders?api_key=7", "/orders?api_key=***"),
            ("user@host", "user@host"),
        ] {
            assert_eq!(keys().url(url), expected);
        }
    }

    #[test]
    fn without_words_nothing_is_masked() {
        let text = br#"{"password":"hunter2"}"#;
        assert_eq!(mask_text(text, &MaskKeys::default()), &text[..]);
    }
}
