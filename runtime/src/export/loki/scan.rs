//! Text to words: names, quoted text, numbers, signs, each with its place.
//!
//! Refuses letters that the language does not have, quotes that do not close and escapes that stand
//! for nothing.

/// Why a query cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parse error at line 1, col {column}: {message}")]
pub(super) struct ParseError {
    pub(super) column: usize,
    pub(super) message: String,
}

/// A word of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    /// Digits with whatever belongs to them: `5m`, `1.5`.
    Number(String),
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: [&str; 18] = [
    "!=", "!~", "=~", "|=", "|~", "|>", "!>", "{", "}", "(", ")", "[", "]", ",", "=", "|", "+", "-",
];

/// The words of a text and where each begins, in bytes.
pub(super) fn scan(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, len) = if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        } else if letter == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        } else if letter == '"' || letter == '`' {
            quoted(rest, at)?
        } else if letter.is_ascii_digit() {
            let fits = |it: char| it.is_ascii_alphanumeric() || it == '.' || it == 'µ';
            let len = rest.find(|it| !fits(it)).unwrap_or(rest.len());
            (Token::Number(rest[..len].to_owned()), len)
        } else if letter.is_ascii_alphabetic() || letter == '_' {
            let fits = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == ':';
            let len = rest.find(|it| !fits(it)).unwrap_or(rest.len());
            (Token::Name(rest[..len].to_owned()), len)
        } else if let Some(sign) = SIGNS.into_iter().find(|it| rest.starts_with(it)) {
            (Token::Sign(sign), sign.len())
        } else {
            return Err(ParseError {
                column: at + 1,
                message: format!("`{letter}` is not supported here"),
            });
        };
        tokens.push((at, token));
        at += len;
    }
    Ok(tokens)
}

/// Text between quotes with escapes, or between backticks as it is; and its length with them.
fn quoted(rest: &str, at: usize) -> Result<(Token, usize), ParseError> {
    let fault = |message: &str| ParseError {
        column: at + 1,
        message: message.to_owned(),
    };
    let open = || fault("the quotes are not closed");
    if let Some(raw) = rest.strip_prefix('`') {
        let len = raw.find('`').ok_or_else(open)?;
        return Ok((Token::Text(raw[..len].to_owned()), len + 2));
    }
    let mut letters = rest.char_indices().skip(1);
    let mut text = String::new();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Ok((Token::Text(text), place + 1)),
            '\n' => return Err(open()),
            '\\' => {
                let (_, escaped) = letters.next().ok_or_else(open)?;
                let wide = match escaped {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                text.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'a' => '\x07',
                    'b' => '\x08',
                    'f' => '\x0c',
                    'v' => '\x0b',
                    '\\' | '"' | '\'' => escaped,
                    'x' | 'u' | 'U' => {
                        let digits: String = letters.by_ref().take(wide).map(|it| it.1).collect();
                        let code = u32::from_str_radix(&digits, 16).ok();
                        let code = code.filter(|_| digits.len() == wide);
                        code.and_then(char::from_u32)
                            .ok_or_else(|| fault("an escape is not a character"))?
                    }
                    _ => {
                        return Err(fault(
                            "an escape is not known; use backticks for text as it is",
                        ));
                    }
                });
            }
            other => text.push(other),
        }
    }
    Err(open())
}
