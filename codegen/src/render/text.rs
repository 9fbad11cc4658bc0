//! Rust text that is written line by line, indented as rustfmt would.
//!
//! Invariant: what is opened is closed by whoever opened it; the text ends with a newline.

use std::fmt::Write as _;

/// Lints that would say something about generated code that nobody can act on.
pub(super) const QUIET: &str = "clippy::all, clippy::pedantic, dead_code, deprecated, missing_docs, unreachable_pub, \
     unused_imports";

/// A file in the making.
#[derive(Default)]
pub(super) struct Text {
    out: String,
    depth: usize,
}

impl Text {
    pub(super) fn into_string(self) -> String {
        self.out
    }

    /// One line.
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if !line.is_empty() {
            for _ in 0..self.depth {
                self.out.push_str("    ");
            }
        }
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// A line that opens a block, what is inside, and the line that closes it.
    pub(super) fn block(
        &mut self,
        open: impl AsRef<str>,
        close: &str,
        inside: impl FnOnce(&mut Self),
    ) {
        self.line(open);
        self.indented(close, inside);
    }

    /// The inside of a block that a longer head has opened, and the line that closes it.
    pub(super) fn indented(&mut self, close: &str, inside: impl FnOnce(&mut Self)) {
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line(close);
    }

    /// A block in braces.
    pub(super) fn braces(&mut self, open: impl AsRef<str>, inside: impl FnOnce(&mut Self)) {
        self.block(format!("{} {{", open.as_ref()), "}", inside);
    }

    /// Puts the crate's own lints out of force for what its authors did not write.
    pub(super) fn quiet(&mut self) {
        self.line(format!("#[allow({QUIET})]"));
    }

    /// Documentation, each line with its leading space or empty.
    pub(super) fn docs<'l>(&mut self, lines: impl IntoIterator<Item = &'l str>) {
        for line in lines {
            self.line(format!("///{}", line.trim_end()));
        }
    }

    pub(super) fn deprecated(&mut self, deprecated: bool) {
        if deprecated {
            self.line("#[deprecated]");
        }
    }
}

/// A string literal, on one line whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || is_bidirectional(c) => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters that the compiler refuses in source text, because they hide what it says.
pub(super) fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A raw string literal: schemas are JSON and stay readable in it.
pub(super) fn raw(text: &str) -> String {
    let mut hashes = "#".to_owned();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
