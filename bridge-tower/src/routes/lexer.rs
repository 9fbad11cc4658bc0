//! Cuts `Debug` output into words, marks and texts while it is being printed.
//!
//! It refuses texts and words beyond a limit, and escapes that `Debug` does not write.
//!
//! Invariant: at most one token is held, however long the output is and wherever it is cut.

/// Bytes of a word: a type, a field or a number.
const WORD_BYTES_MAX: usize = 128;

/// Bytes of a text: a route's pattern. A request's path has at most 65,535.
const TEXT_BYTES_MAX: usize = 65_535;

/// One piece of `Debug` output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, a number or a mark of one character.
    Word(&'a str),
    /// What stood between quotes, its escapes undone.
    Text(&'a str),
    /// What stood in `b"…"`, its escapes undone as characters.
    Bytes(&'a str),
}

/// What the next character continues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Between,
    Word,
    Text(Quoted),
    /// Behind a backslash.
    Escape(Quoted),
    /// Inside of `\u{…}`.
    Unicode(Quoted, u32),
    /// Inside of `\x..`: the digits that are left, the value so far.
    Byte(Quoted, u8, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quoted {
    Text,
    Bytes,
}

/// Cuts what is pushed into tokens.
#[derive(Debug, Default)]
pub(super) struct Lexer {
    at: At,
    held: String,
}

impl Lexer {
    /// Takes one character and hands each token that it completes to `sink`.
    ///
    /// # Errors
    ///
    /// What was expected instead of it, or what `sink` answered.
    pub(super) fn push<E: From<&'static str>>(
        &mut self,
        c: char,
        sink: &mut impl FnMut(Token<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.at {
            At::Between => self.begin(c, sink),
            At::Word => self.word(c, sink),
            At::Text(quoted) => self.text(quoted, c, sink),
            At::Escape(quoted) => Ok(self.escape(quoted, c)?),
            At::Unicode(quoted, value) => Ok(self.unicode(quoted, value, c)?),
            At::Byte(quoted, left, value) => Ok(self.byte(quoted, left, value, c)?),
        }
    }

    /// Whether nothing is half read.
    pub(super) fn is_between(&self) -> bool {
        self.at == At::Between
    }

    fn begin<E>(
        &mut self,
        c: char,
        sink: &mut impl FnMut(Token<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.held.clear();
        if c.is_whitespace() {
            return Ok(());
        }
        if c == '"' {
            self.at = At::Text(Quoted::Text);
            return Ok(());
        }
        self.held.push(c);
        if is_of_word(c) {
            self.at = At::Word;
            return Ok(());
        }
        sink(Token::Word(&self.held))
    }

    fn word<E: From<&'static str>>(
        &mut self,
        c: char,
        sink: &mut impl FnMut(Token<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if is_of_word(c) {
            return Ok(self.hold(c, WORD_BYTES_MAX, "a shorter word")?);
        }
        if c == '"' && self.held == "b" {
            self.held.clear();
            self.at = At::Text(Quoted::Bytes);
            return Ok(());
        }
        self.at = At::Between;
        sink(Token::Word(&self.held))?;
        self.begin(c, sink)
    }

    fn text<E: From<&'static str>>(
        &mut self,
        quoted: Quoted,
        c: char,
        sink: &mut impl FnMut(Token<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match c {
            '\\' => {
                self.at = At::Escape(quoted);
                Ok(())
            }
            '"' => {
                self.at = At::Between;
                sink(match quoted {
                    Quoted::Text => Token::Text(&self.held),
                    Quoted::Bytes => Token::Bytes(&self.held),
                })
            }
            c => Ok(self.hold(c, TEXT_BYTES_MAX, "a shorter text")?),
        }
    }

    fn escape(&mut self, quoted: Quoted, c: char) -> Result<(), &'static str> {
        let plain = match c {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            '\\' | '"' | '\'' => c,
            'u' => {
                self.at = At::Unicode(quoted, 0);
                return Ok(());
            }
            'x' => {
                self.at = At::Byte(quoted, 2, 0);
                return Ok(());
            }
            _ => return Err("an escape that `Debug` writes"),
        };
        self.at = At::Text(quoted);
        self.hold(plain, TEXT_BYTES_MAX, "a shorter text")
    }

    fn unicode(&mut self, quoted: Quoted, value: u32, c: char) -> Result<(), &'static str> {
        const EXPECTED: &str = "the hexadecimal number of a character";
        match c {
            '{' => {}
            '}' => {
                self.at = At::Text(quoted);
                let plain = char::from_u32(value).ok_or(EXPECTED)?;
                return self.hold(plain, TEXT_BYTES_MAX, "a shorter text");
            }
            c => {
                let digit = c.to_digit(16).ok_or(EXPECTED)?;
                let value = value.checked_mul(16).ok_or(EXPECTED)? + digit;
                self.at = At::Unicode(quoted, value);
            }
        }
        Ok(())
    }

    fn byte(&mut self, quoted: Quoted, left: u8, value: u32, c: char) -> Result<(), &'static str> {
        const EXPECTED: &str = "two hexadecimal digits";
        let value = value * 16 + c.to_digit(16).ok_or(EXPECTED)?;
        if left > 1 {
            self.at = At::Byte(quoted, left - 1, value);
            return Ok(());
        }
        self.at = At::Text(quoted);
        let plain = char::from_u32(value).ok_or(EXPECTED)?;
        self.hold(plain, TEXT_BYTES_MAX, "a shorter text")
    }

    fn hold(
        &mut self,
        c: char,
        bytes_max: usize,
        beyond: &'static str,
    ) -> Result<(), &'static str> {
        if self.held.len() + c.len_utf8() > bytes_max {
            return Err(beyond);
        }
        self.held.push(c);
        Ok(())
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
