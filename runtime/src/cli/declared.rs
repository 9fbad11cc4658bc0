//! Files of declared operations: `METHOD /path [operation]` on each line, `#` before a comment.
//!
//! Refuses the first line that is anything else, by file and line.
//!
//! Invariant: at most [`BYTES_MAX`] bytes and [`LINES_MAX`] lines are held.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bridge_tower::record::Verb;
use bridge_tower::routes::Declared;
use http::Method;

/// Largest file, in bytes.
const BYTES_MAX: u64 = 1024 * 1024;
/// Most lines of a file.
const LINES_MAX: usize = 16_384;

/// The file's name that means standard input.
const STDIN: &str = "-";

/// Why a file of declared operations cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeclaredError {
    /// It cannot be read.
    #[error("{file} cannot be read")]
    Unreadable {
        file: String,
        #[source]
        source: io::Error,
    },
    /// It has too many bytes.
    #[error("{file} is larger than {BYTES_MAX} bytes; give only the service's own operations")]
    TooLarge { file: String },
    /// It has too many lines.
    #[error("{file} has more than {LINES_MAX} lines; give only the service's own operations")]
    TooLong { file: String },
    /// A line is wrong.
    #[error("{file}:{line}: {why}; write `METHOD /path [operation]`, as `GET /orders/{{id}} show`")]
    Line {
        file: String,
        /// From 1 on.
        line: usize,
        why: String,
    },
}

/// Reads the operations of a file, or of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Vec<Declared>, DeclaredError> {
    let (file, bytes) = if path == Path::new(STDIN) {
        ("standard input".to_owned(), bounded(io::stdin().lock()))
    } else {
        let bytes = File::open(path).and_then(bounded);
        (path.display().to_string(), bytes)
    };
    match bytes {
        Ok(bytes) => parse(&file, &bytes),
        Err(source) => Err(DeclaredError::Unreadable { file, source }),
    }
}

/// One byte more than allowed at most.
fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(file: &str, bytes: &[u8]) -> Result<Vec<Declared>, DeclaredError> {
    let file = || file.to_owned();
    if bytes.len() as u64 > BYTES_MAX {
        return Err(DeclaredError::TooLarge { file: file() });
    }
    let mut declared = Vec::new();
    for (nth, line) in bytes.split(|it| *it == b'\n').enumerate() {
        let wrong = |why| DeclaredError::Line {
            file: file(),
            line: nth + 1,
            why,
        };
        // What ends the last line begins no other.
        if nth == LINES_MAX && !line.is_empty() {
            return Err(DeclaredError::TooLong { file: file() });
        }
        let line = std::str::from_utf8(line).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        declared.extend(operation(line).map_err(wrong)?);
    }
    Ok(declared)
}

/// The operation of a line, if it has one, or what is wrong with it.
fn operation(line: &str) -> Result<Option<Declared>, String> {
    let words = line
        .split_whitespace()
        .take_while(|it| !it.starts_with('#'));
    let words: Vec<&str> = words.collect();
    let (method, path, operation) = match words[..] {
        [] => return Ok(None),
        [method, path] => (method, path, ""),
        [method, path, operation] => (method, path, operation),
        [method] => return Err(format!("there is no path behind `{}`", shown(method))),
        [_, _, _, more, ..] => return Err(format!("`{}` is a word too many", shown(more))),
    };
    let verb = Method::from_bytes(method.as_bytes()).map_or(Verb::Other, |it| Verb::from(&it));
    if verb == Verb::Other {
        return Err(format!("`{}` is no method in capitals", shown(method)));
    }
    if !path.starts_with('/') {
        return Err(format!(
            "the path `{}` does not begin with `/`",
            shown(path)
        ));
    }
    Ok(Some(Declared {
        path: path.to_owned(),
        verb,
        operation: operation.to_owned(),
    }))
}

/// The beginning of a word, without what would steer a terminal.
fn shown(word: &str) -> String {
    const LETTERS_MAX: usize = 64;
    let letters = word.chars().take(LETTERS_MAX);
    letters.flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &[u8]) -> String {
        let error = parse("routes.txt", text).expect_err("refused");
        error.to_string()
    }

    #[test]
    fn operations_are_read_with_and_without_names_between_comments() {
        let text = "# orders\n\nGET  /orders/{id}\tshow # the page\r\n POST /orders\n";
        let read = parse("routes.txt", text.as_bytes()).expect("operations");
        let read: Vec<_> = read
            .iter()
            .map(|it| (it.verb, &*it.path, &*it.operation))
            .collect();
        assert_eq!(
            read,
            [
                (Verb::Get, "/orders/{id}", "show"),
                (Verb::Post, "/orders", "")
            ]
        );
        assert!(parse("routes.txt", b"").expect("nothing").is_empty());
    }

    #[test]
    fn a_wrong_line_is_named_with_its_file_and_number() {
        for (text, told) in [
            (
                &b"GET /a\nGET\n"[..],
                "routes.txt:2: there is no path behind `GET`",
            ),
            (b"get /a", "routes.txt:1: `get` is no method in capitals"),
            (b"_OTHER /a", "routes.txt:1: `_OTHER` is no method"),
            (
                b"\n\nGET a",
                "routes.txt:3: the path `a` does not begin with `/`",
            ),
            (b"GET /a b c", "routes.txt:1: `c` is a word too many"),
            (b"GET /a\n\xff", "routes.txt:2: it is not UTF-8"),
            (b"\x1b[2J /a", "routes.txt:1: `\\u{1b}[2J` is no method"),
        ] {
            let said = refused(text);
            assert!(said.starts_with(told), "{said}");
            assert!(said.contains("METHOD /path"), "{said}");
        }
        let long = "X".repeat(10_000);
        assert!(refused(long.as_bytes()).len() < 300);
    }

    #[test]
    fn files_are_bounded_in_bytes_and_lines() {
        let most = "GET /a\n".repeat(LINES_MAX);
        assert_eq!(
            parse("f", most.as_bytes()).map(|it| it.len()).ok(),
            Some(LINES_MAX)
        );
        assert!(refused(format!("{most}GET /a").as_bytes()).contains("more than 16384 lines"));
        let size = usize::try_from(BYTES_MAX).expect("small");
        assert!(parse("f", "#".repeat(size).as_bytes()).is_ok());
        assert!(refused("#".repeat(size + 1).as_bytes()).contains("larger than 1048576 bytes"));
        assert_eq!(
            bounded(io::repeat(0)).map(|it| it.len()).ok(),
            Some(size + 1)
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("/nowhere/routes.txt")).expect_err("not there");
        assert_eq!(error.to_string(), "/nowhere/routes.txt cannot be read");
    }
}
