//! Passwords from a person or a file; never from the command line, where everybody on the machine
//! reads them.
//!
//! Invariant: the terminal shows what is typed again however the question ends, Ctrl-C included.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::AnyError;

/// Longest text that is read, in bytes.
const TEXT_BYTES_MAX: u64 = 4_096;
/// What Ctrl-C, Ctrl-D and both erasing keys send.
const INTERRUPT: u8 = 3;
const END: u8 = 4;
const ERASE: [u8; 2] = [8, 127];

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
enum PasswordError {
    #[error("the two passwords are not the same; nothing was changed")]
    Different,
    #[error("nothing was changed")]
    Stopped,
    #[error("the first line holds no password")]
    Empty,
}

/// The password for `name`: the first line of `file` (`-` is standard input), or what a person
/// types twice. Without a terminal, standard input it is.
pub(super) fn ask(name: &str, file: Option<&Path>) -> Result<String, AnyError> {
    let stdin = io::stdin();
    match file {
        Some(path) if path.as_os_str() != "-" => first_line(std::fs::File::open(path)?),
        None if stdin.is_terminal() => {
            let first = typed(&format!("Password for {name}: "))?;
            if typed("The same again: ")? != first {
                return Err(PasswordError::Different.into());
            }
            Ok(first)
        }
        _ => first_line(stdin.lock()),
    }
}

/// The first line of a file that holds one secret.
pub(super) fn first_line(source: impl io::Read) -> Result<String, AnyError> {
    let mut text = String::new();
    source.take(TEXT_BYTES_MAX).read_to_string(&mut text)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(PasswordError::Empty.into());
    }
    Ok(line.to_owned())
}

/// Shows what is typed again when it goes.
struct Silent(Termios);

impl Silent {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        // Ctrl-C comes as a byte, so that nothing ends before the terminal is as it was.
        let off = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        silent.local_modes.remove(off);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing any more.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
        let _ = io::stderr().write_all(b"\n");
    }
}

fn typed(question: &str) -> Result<String, AnyError> {
    let mut stderr = io::stderr();
    stderr.write_all(question.as_bytes())?;
    stderr.flush()?;
    let _silent = Silent::begin()?;
    line_of(io::stdin().lock().bytes())
}

/// What was typed until Enter.
fn line_of(keys: impl Iterator<Item = io::Result<u8>>) -> Result<String, AnyError> {
    let mut line = Vec::new();
    for key in keys.take(usize::try_from(TEXT_BYTES_MAX)?) {
        match key? {
            b'\n' | b'\r' => return Ok(String::from_utf8(line)?),
            INTERRUPT | END => return Err(PasswordError::Stopped.into()),
            key if ERASE.contains(&key) => {
                // A letter may have several bytes; all but its first begin with the bits 10.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            key => line.push(key),
        }
    }
    Err(PasswordError::Stopped.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> Option<String> {
        line_of(keys.bytes().map(Ok)).ok()
    }

    #[test]
    fn keys_become_a_line_with_what_was_erased_left_out() {
        assert_eq!(typed("correct\n more").as_deref(), Some("correct"));
        assert_eq!(typed("añ\u{7f}b\r").as_deref(), Some("ab"));
        assert_eq!(typed("\u{8}\u{8}x\n").as_deref(), Some("x"));
        assert_eq!(typed("secret\u{3}\n"), None, "Ctrl-C");
        assert_eq!(typed("no end"), None);
    }

    #[test]
    fn a_file_holds_a_password_in_its_first_line() {
        let read = |text: &str| first_line(text.as_bytes()).ok();
        assert_eq!(read("pass word\nrest").as_deref(), Some("pass word"));
        assert_eq!(read("x\r\n").as_deref(), Some("x"));
        assert_eq!(read(""), None);
        assert_eq!(read("\nx"), None);
    }
}
