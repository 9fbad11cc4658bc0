//! Secrets taken out of what is kept: values under telling names, in JSON and in forms.
//!
//! JSON is scanned, not parsed, because what is kept may be cut anywhere, may be several documents
//! or stand in other text, or in a string of JSON. The scanner looks for quotes that a colon
//! follows, takes what is before back to another quote for a name, and replaces what is behind.
//!
//! Invariant: where it is in doubt it takes out too much.

/// What stands where a secret was.
const REDACTED: &[u8] = b"\"[redacted]\"";
/// The same where JSON stands in a string.
const REDACTED_INSIDE: &[u8] = b"\\\"[redacted]\\\"";
/// The same in a form.
const REDACTED_FORM: &[u8] = b"[redacted]";

/// Names that tell a secret wherever they stand in a longer one.
const TELLING: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "credential",
    "cookie",
    "sessionid",
    "cardnumber",
    "creditcard",
];
/// Names that tell a secret only as a whole, because they are parts of harmless words.
const WHOLE: &[&str] = &[
    "pass", "pwd", "pin", "otp", "auth", "jwt", "cvv", "cvv2", "cvc", "cvc2", "ssn", "iban",
];

/// Which names tell secrets.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    added: Vec<String>,
}

impl Secrets {
    pub(super) fn add(&mut self, name: &str) {
        let name = plain(name);
        if !name.is_empty() {
            self.added.push(name);
        }
    }

    fn tell(&self, name: &str) -> bool {
        let name = plain(name);
        let has = |part: &str| name.contains(part);
        TELLING.iter().any(|part| has(part))
            || WHOLE.contains(&name.as_str())
            || self.added.iter().any(|part| has(part))
    }

    /// `text` without the values of JSON members whose names tell a secret.
    pub(super) fn out_of_json(&self, text: &[u8]) -> Vec<u8> {
        let mut kept = Vec::with_capacity(text.len());
        let (mut copied, mut at) = (0, 0);
        let mut quotes = Quotes::default();
        while let Some(next) = text[at..].iter().position(|byte| *byte == b'"') {
            let quote = at + next;
            at = quote + 1;
            let is_escaped = is_odd(text[..quote].iter().rev().take_while(|it| **it == b'\\'));
            let name = quotes.name_before(text, quote, is_escaped);
            let colon = at + spaces_len(&text[at..]);
            if text.get(colon) != Some(&b':') || !self.tell(&unescaped(name)) {
                continue;
            }
            let value = colon + 1 + spaces_len(&text[colon + 1..]);
            let (replacement, len) = if is_escaped {
                (REDACTED_INSIDE, escaped_value_len(&text[value..]))
            } else {
                (REDACTED, value_len(&text[value..]))
            };
            kept.extend_from_slice(&text[copied..value]);
            kept.extend_from_slice(replacement);
            copied = value + len;
            at = copied;
        }
        kept.extend_from_slice(&text[copied..]);
        kept
    }

    /// `text` without the values of form fields whose names tell a secret.
    pub(super) fn out_of_form(&self, text: &[u8]) -> Vec<u8> {
        let field = |field: &[u8]| {
            let Some(at) = field.iter().position(|byte| *byte == b'=') else {
                return field.to_vec();
            };
            let (name, value) = field.split_at(at + 1);
            let is_secret = self.tell(&decoded(&name[..at]));
            [name, if is_secret { REDACTED_FORM } else { value }].concat()
        };
        let fields: Vec<_> = text.split(|byte| *byte == b'&').map(field).collect();
        fields.join(&b'&')
    }
}

/// A name as it is compared: letters and digits, lower-case.
fn plain(name: &str) -> String {
    let kept = name.chars().filter(|it| it.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

fn spaces_len(text: &[u8]) -> usize {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    text.iter().take_while(|byte| is_space(byte)).count()
}

/// Length of the string that `text` starts with, quotes included; all of it when it is cut.
fn string_len(text: &[u8]) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of the value that `text` starts with; all of it when it is cut.
fn value_len(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => string_len(text),
        Some(b'{' | b'[') => nested_len(text),
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'\n' | b'\r');
            text.iter().take_while(|byte| !ends(byte)).count()
        }
    }
}

/// Length of the object or array that `text` starts with.
fn nested_len(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0_usize, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += string_len(&text[at..]);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Length of the value that `text`, a string's inside, starts with.
fn escaped_value_len(text: &[u8]) -> usize {
    if let Some(string) = text.strip_prefix(br#"\""#) {
        let end = string.windows(2).position(|it| it == br#"\""#);
        return end.map_or(text.len(), |end| 2 + end + 2);
    }
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'"' | b'\\');
    match text.first() {
        // Not worth following: everything goes, to the end of the string.
        Some(b'{' | b'[') => {
            let end = text
                .windows(2)
                .position(|it| it[0] != b'\\' && it[1] == b'"');
            end.map_or(text.len(), |end| end + 1)
        }
        _ => text.iter().take_while(|byte| !ends(byte)).count(),
    }
}

fn is_odd<T>(items: impl Iterator<Item = T>) -> bool {
    items.count() % 2 == 1
}

/// The quotes that were passed.
#[derive(Default)]
struct Quotes {
    /// Position behind the last one.
    any: usize,
    /// Position behind the last one that no backslash is before.
    bare: usize,
}

impl Quotes {
    /// What stands between the quote at `at` and the one that may belong to it.
    fn name_before<'t>(&mut self, text: &'t [u8], at: usize, is_escaped: bool) -> &'t [u8] {
        let from = if is_escaped { self.any } else { self.bare };
        self.any = at + 1;
        if !is_escaped {
            self.bare = at + 1;
        }
        text.get(from..at).unwrap_or_default()
    }
}

/// The text of a JSON string's inside; what stands there when it is none.
fn unescaped(inside: &[u8]) -> String {
    let quoted = [b"\"", inside, b"\""].concat();
    serde_json::from_slice(&quoted).unwrap_or_else(|_| String::from_utf8_lossy(inside).into_owned())
}

/// Undoes the encoding of forms.
fn decoded(name: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, behind)) = rest.split_first() {
        let escaped = match rest {
            [b'%', high, low, ..] => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            &rest[3..]
        } else {
            behind
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        let kept = Secrets::default().out_of_json(text.as_bytes());
        String::from_utf8(kept).expect("text")
    }

    #[test]
    fn values_under_telling_names_are_replaced_whatever_they_are() {
        for (text, kept) in [
            (
                r#"{"password":"x","a":1}"#,
                r#"{"password":"[redacted]","a":1}"#,
            ),
            (r#"{"a":1,"pin": 1234}"#, r#"{"a":1,"pin": "[redacted]"}"#),
            (r#"{"token":null}"#, r#"{"token":"[redacted]"}"#),
            (
                r#"{"tokens":["a","]"],"b":[1]}"#,
                r#"{"tokens":"[redacted]","b":[1]}"#,
            ),
            (
                r#"{"credentials":{"a":{"b":"}"}},"c":2}"#,
                r#"{"credentials":"[redacted]","c":2}"#,
            ),
            (
                r#"{"a":{"Client-Secret" :"x\"y"}}"#,
                r#"{"a":{"Client-Secret" :"[redacted]"}}"#,
            ),
            (
                r#"[{"apiKey":"x"},{"API_KEY":"y"}]"#,
                r#"[{"apiKey":"[redacted]"},{"API_KEY":"[redacted]"}]"#,
            ),
            (
                r#"{"pass\u0077ord":"x"}"#,
                r#"{"pass\u0077ord":"[redacted]"}"#,
            ),
            (
                "{\"pwd\":\n\t\"x\"}\n{\"otp\":1}",
                "{\"pwd\":\n\t\"[redacted]\"}\n{\"otp\":\"[redacted]\"}",
            ),
            (
                "data: {\"access_token\":\"x\"}\n\n",
                "data: {\"access_token\":\"[redacted]\"}\n\n",
            ),
        ] {
            assert_eq!(json(text), kept);
        }
    }

    #[test]
    fn everything_else_stays_to_the_byte() {
        for text in [
            "",
            "{}",
            "null",
            "plain text",
            "\"password\"",
            r#"["password","x"]"#,
            r#"{"a":"password","b":"\"kind\":1"}"#,
            r#"{"pinned":true,"author":"x"}"#,
            "\u{0}\u{1}\"",
            "{\"a\":\"\\",
            "é\"ü\":\"x\"",
        ] {
            assert_eq!(json(text), text);
        }
    }

    #[test]
    fn json_in_a_string_and_in_other_text_is_searched_too() {
        for (text, kept) in [
            (
                r#"{"body":"{\"token\":\"t-1\",\"pin\": 7}","a":1}"#,
                r#"{"body":"{\"token\":\"[redacted]\",\"pin\": \"[redacted]\"}","a":1}"#,
            ),
            (
                r#"{"body":"{\"credentials\":{\"a\":\"t-1\"}}","a":1}"#,
                r#"{"body":"{\"credentials\":\"[redacted]\"","a":1}"#,
            ),
            (
                r#"a 5" disk: {"password":"p-1"}"#,
                r#"a 5" disk: {"password":"[redacted]"}"#,
            ),
            (
                r#"{"path":"C:\\","password":"p-1"}"#,
                r#"{"path":"C:\\","password":"[redacted]"}"#,
            ),
        ] {
            assert_eq!(json(text), kept);
        }
    }

    #[test]
    fn a_secret_that_is_cut_is_taken_out_to_the_end() {
        let whole = r#"{"a":1,"password":{"x":["secret-value"]},"b":2}"#;
        for end in 0..whole.len() {
            assert!(!json(&whole[..end]).contains("secret-v"), "{end}");
        }
        let whole = r#"{"password":"secret-value"}"#;
        for end in 0..whole.len() {
            assert!(!json(&whole[..end]).contains("secret-v"), "{end}");
        }
    }

    #[test]
    fn no_bytes_make_the_scanner_panic() {
        let mut random = fastrand::Rng::with_seed(8);
        let alphabet = b"\"\"\":,{}[]\\ pin1\xff";
        let secrets = Secrets::default();
        for _ in 0..100_000 {
            let text: Vec<u8> = (0..random.usize(..30))
                .map(|_| alphabet[random.usize(..alphabet.len())])
                .collect();
            secrets.out_of_json(&text);
            secrets.out_of_form(&text);
        }
    }

    #[test]
    fn fields_of_forms_are_replaced_too() {
        let form = |text: &str| {
            let kept = Secrets::default().out_of_form(text.as_bytes());
            String::from_utf8(kept).expect("text")
        };
        assert_eq!(
            form("user=a&password=b%26c&x"),
            "user=a&password=[redacted]&x"
        );
        assert_eq!(
            form("user%5Bp%61ssword%5D=b&c="),
            "user%5Bp%61ssword%5D=[redacted]&c="
        );
        assert_eq!(form("a=b&c=password"), "a=b&c=password");
        assert_eq!(form(""), "");
    }

    #[test]
    fn names_of_ones_own_are_added() {
        let mut secrets = Secrets::default();
        secrets.add("Tax_Id");
        secrets.add("-");
        let kept = secrets.out_of_json(br#"{"userTaxID":7,"a":1}"#);
        assert_eq!(kept, br#"{"userTaxID":"[redacted]","a":1}"#);
    }
}
