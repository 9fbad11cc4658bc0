//! Standard output: a terminal with a width and colours, or whatever reads a pipe.
//!
//! Invariant: a reader that has seen enough (`| head`) ends the command quietly.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use super::{AnyError, Output};
use crate::operator::draw::Look;

/// Narrower terminals are taken for this.
const WIDTH_MIN: u16 = 60;

/// How to draw for who reads.
pub(super) fn look() -> Look {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return Look::default();
    }
    let size = rustix::termios::tcgetwinsize(&stdout);
    let width = size.map_or(0, |it| it.ws_col);
    Look {
        // A terminal that does not know its width wraps lines itself.
        width: (width > 0).then(|| usize::from(width.max(WIDTH_MIN))),
        colour: colours(|name| std::env::var_os(name).map(|it| it.to_string_lossy().into_owned())),
    }
}

/// Whether the reader of a terminal wants colours: see <https://no-color.org>.
fn colours(variable: impl Fn(&str) -> Option<String>) -> bool {
    let refused = variable("NO_COLOR").is_some_and(|it| !it.is_empty());
    !refused && variable("TERM").is_none_or(|it| it != "dumb")
}

/// Prints a line or more.
pub(super) fn say(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Prints one object on one line.
pub(super) fn say_json(value: &impl Serialize) -> Result<(), AnyError> {
    Ok(say(&serde_json::to_string(value)?)?)
}

/// Prints an answer as it was asked for.
pub(super) fn answer<T: Serialize + ?Sized>(
    output: Output,
    value: &T,
    table: impl FnOnce(&T) -> String,
) -> Result<(), AnyError> {
    match output {
        Output::Json => say(&serde_json::to_string_pretty(value)?)?,
        Output::Table => say(&table(value))?,
    }
    Ok(())
}

/// Whether the reader of our output has gone.
pub(super) fn is_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|it| it.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::colours;

    #[test]
    fn colours_are_refused_by_no_color_and_by_a_dumb_terminal() {
        let with = |set: &'static [(&str, &str)]| {
            colours(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(with(&[]));
        assert!(with(&[("TERM", "xterm"), ("NO_COLOR", "")]));
        assert!(!with(&[("NO_COLOR", "1")]));
        assert!(!with(&[("TERM", "dumb")]));
    }
}
