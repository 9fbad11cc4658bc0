//! Runs a program that is asked to describe itself, and waits for it.
//!
//! Refuses to wait in silence. Invariant: a program that does not end is told of soon, and stopped when
//! patience with it ends, with the reason. Where Cargo builds it and says so, its own time begins when it
//! is built: a busy machine, or another build that Cargo waits for, is no fault of the program.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;

use crate::failure::Failure;

/// How long a build may take that Cargo tells the end of.
const BUILD: Duration = Duration::from_secs(15 * 60);
/// How long a program that is built may take until it would serve.
const START: Duration = Duration::from_secs(60);
/// After what time a program that has said nothing is told of.
const HINT: Duration = Duration::from_secs(5);
/// How long what an ended program printed is passed on; what it started may hold its output open.
const OUTPUT: Duration = Duration::from_secs(2);
/// The word that makes `cargo run` say on its standard output when it has built.
pub(crate) const TELLING: &str = "--message-format=json-render-diagnostics";
/// The variable that asks for a description.
const VARIABLE: &str = "BRIDGE_DESCRIBE";
/// The command, as the system's shell reads it.
#[cfg(unix)]
pub(crate) fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(not(unix))]
pub(crate) fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

/// `cargo run …` with the word [`TELLING`], where that is all that a command is.
pub(crate) fn cargo_run(command: &str) -> Option<Command> {
    // Anything that a shell may read otherwise is the shell's.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_./=,:@+".contains(c);
    let words: Vec<&str> = command.split_whitespace().collect();
    let at = words.iter().position(|it| ["run", "r"].contains(it))?;
    let is_cargo = words.first() == Some(&"cargo");
    // A toolchain is all that may stand in between.
    let is_run = words[1..at].iter().all(|it| it.starts_with('+'));
    let says_how = words.iter().any(|it| it.starts_with("--message-format"));
    if !is_cargo || !is_run || says_how || !command.chars().all(is_plain) {
        return None;
    }
    let mut run = Command::new("cargo");
    run.args(&words[1..=at]).arg(TELLING).args(&words[at + 1..]);
    Some(run)
}

/// How long is waited for what.
pub(crate) struct Patience {
    /// For a build that Cargo tells the end of; none where nobody does.
    building: Option<Duration>,
    /// Until a program that is built, or else the command, is told of.
    hint: Duration,
    /// Until it is stopped.
    running: Duration,
}

impl Patience {
    pub(crate) const WITH_BUILD: Self = Self {
        building: None,
        hint: HINT,
        running: BUILD,
    };
    pub(crate) const AFTER_BUILD: Self = Self {
        building: Some(BUILD),
        hint: HINT,
        running: START,
    };
}

/// Runs `command`, which writes its description to `file`; `say` is for what there is to say meanwhile.
pub(crate) fn asked(
    mut run: Command,
    (command, file): (&str, &Path),
    patience: &Patience,
    say: &dyn Fn(&str),
) -> Result<(), Failure> {
    let child = run
        .env(VARIABLE, file)
        .stdin(Stdio::null())
        .stdout(match patience.building {
            Some(_) => Stdio::piped(),
            // What the program prints is not what this command prints.
            None => Stdio::from(io::stderr()),
        })
        .spawn()
        .map_err(|error| Failure::usage(format!("`{command}` cannot be started: {error}")))?;
    let status = ended(child, command, patience, say)?;
    if !status.success() {
        return Err(Failure::silent(format!(
            "`{command}` failed ({status}): see above"
        )));
    }
    if !file.exists() {
        return Err(Failure::silent(format!(
            "`{command}` wrote no description: {REACH}, with a bridge that knows {VARIABLE}"
        )));
    }
    Ok(())
}

/// What makes a program describe itself.
const REACH: &str = "it must reach `bridge::declare(app, &bridge::handlers![])`, with its annotated \
                     handlers if it has some, or `Builder::start`";

/// What is heard of a command.
enum Heard {
    Built,
    Ended(io::Result<ExitStatus>),
}

/// Waits for the program from when it is built; one that goes on serving is told of, and stopped.
fn ended(
    mut child: Child,
    command: &str,
    patience: &Patience,
    say: &dyn Fn(&str),
) -> Result<ExitStatus, Failure> {
    let (tell, told) = mpsc::channel();
    let (printing, printed) = mpsc::channel::<()>();
    let id = child.id();
    if let Some(output) = child.stdout.take() {
        let tell = tell.clone();
        std::thread::spawn(move || passed_on(output, &tell, printing));
    } else {
        drop(printing);
    }
    std::thread::spawn(move || tell.send(Heard::Ended(child.wait())));
    let mut is_built = patience.building.is_none();
    let mut is_told_of = false;
    let mut wait = patience.building.unwrap_or(patience.hint);
    loop {
        match told.recv_timeout(wait) {
            Ok(Heard::Built) => (is_built, wait) = (true, patience.hint),
            Ok(Heard::Ended(status)) => {
                // Either all is printed, or its status is what there is to say.
                let _ = printed.recv_timeout(OUTPUT);
                return status
                    .map_err(|_| Failure::refused(format!("`{command}` cannot be waited for")));
            }
            Err(_) if is_built && !is_told_of => {
                say(&waiting(command, patience));
                is_told_of = true;
                wait = patience.running.saturating_sub(patience.hint);
            }
            Err(_) => {
                stop(id);
                return Err(Failure::silent(late(command, is_built, patience)));
            }
        }
    }
}

fn waiting(command: &str, patience: &Patience) -> String {
    let hint = patience.hint.as_secs();
    let since = match patience.building {
        Some(_) => format!("runs for {hint} s"),
        None => format!("runs for {hint} s, what it builds included,"),
    };
    format!(
        "`{command}` {since} and has not described itself: {REACH}, before it serves; \
         `bridge::observe` alone describes nothing. It is stopped {} s after its start",
        patience.running.as_secs()
    )
}

fn late(command: &str, is_built: bool, patience: &Patience) -> String {
    if !is_built {
        let build = patience.building.unwrap_or_default().as_secs();
        return format!("`{command}` did not build the program within {build} s");
    }
    format!(
        "`{command}` did not end within {} s: a program with {VARIABLE} set writes its description and \
         ends; {REACH}",
        patience.running.as_secs()
    )
}

/// Tells when Cargo says that it has built, then passes on what the program prints; `_printing` is
/// dropped at the end of it.
fn passed_on(output: ChildStdout, tell: &mpsc::Sender<Heard>, _printing: mpsc::Sender<()>) {
    #[derive(Deserialize)]
    struct Line {
        reason: String,
        success: Option<bool>,
    }
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(1..) = output.read_until(b'\n', &mut line) {
        let said = serde_json::from_slice::<Line>(&line);
        if said.is_ok_and(|it| it.reason == "build-finished" && it.success == Some(true)) {
            // Nobody hears it any more when patience has ended.
            let _ = tell.send(Heard::Built);
            let _ = io::copy(&mut output, &mut io::stderr());
            return;
        }
        line.clear();
    }
}

/// Stops a program by its id, since the thread that waits owns it.
fn stop(id: u32) {
    let program = if cfg!(unix) { "kill" } else { "taskkill" };
    let words: Vec<String> = if cfg!(unix) {
        vec![id.to_string()]
    } else {
        vec!["/F".to_owned(), "/PID".to_owned(), id.to_string()]
    };
    // When it has ended in between there is nothing to stop.
    let _ = Command::new(program).args(words).status();
}

#[cfg(all(test, unix))]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_program_that_writes_nothing_is_told_what_would_have_written() {
        let (text, _) = told("true", &Patience::WITH_BUILD);
        assert!(
            text.contains("must reach `bridge::declare(app, &bridge::handlers![])`"),
            "{text}"
        );
        assert!(text.contains("or `Builder::start`"), "{text}");
        assert!(!text.contains("observe"), "{text}");
    }

    /// What comes of a command with these patiences, and what is said meanwhile.
    fn told(command: &str, patience: &Patience) -> (String, Vec<String>) {
        let said = RefCell::new(Vec::new());
        let say = |text: &str| said.borrow_mut().push(text.to_owned());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("description.json");
        let failure = asked(shell(command), (command, &file), patience, &say);
        let failure = failure.expect_err("it writes no description");
        (failure.to_string(), said.into_inner())
    }

    /// What Cargo says, and the program after it.
    const BUILT: &str = r#"echo '{"reason":"compiler-artifact"}'
        echo '{"reason":"build-finished","success":true}'"#;
    /// No patience with what runs.
    const NONE: Patience = Patience {
        hint: Duration::ZERO,
        running: Duration::ZERO,
        ..Patience::AFTER_BUILD
    };

    #[test]
    fn the_time_of_a_program_begins_when_it_is_built() {
        let (text, said) = told("sleep 0.2; exit 3", &NONE);
        assert!(text.contains("failed (exit status: 3)"), "{text}");
        assert!(said.is_empty(), "{said:?}");

        let hasty = Patience {
            building: Some(Duration::ZERO),
            ..Patience::AFTER_BUILD
        };
        let (text, _) = told("exec sleep 600", &hasty);
        let expected = "did not build the program within 0 s";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_program_that_goes_on_serving_is_told_of_before_it_is_stopped() {
        let (text, said) = told(&format!("{BUILT}; exec sleep 600"), &NONE);
        assert!(text.contains("did not end within 0 s"), "{text}");
        assert!(text.contains("&bridge::handlers![]"), "{text}");
        let [said] = said.as_slice() else {
            panic!("said once: {said:?}");
        };
        assert!(said.contains("runs for 0 s and has not described itself"));
        assert!(said.contains("&bridge::handlers![]"), "{said}");
        assert!(said.contains("It is stopped 0 s after its start"), "{said}");

        let shown = waiting("make run", &Patience::WITH_BUILD);
        assert!(shown.contains("runs for 5 s, what it builds included,"));
        assert!(shown.contains("stopped 900 s after"), "{shown}");
        let shown = waiting("cargo run", &Patience::AFTER_BUILD);
        assert!(shown.contains("runs for 5 s and has not"), "{shown}");
        assert!(shown.contains("stopped 60 s after"), "{shown}");
    }

    #[test]
    fn a_plain_cargo_run_says_when_it_has_built_and_the_rest_is_the_shells() {
        let words = |command: &str| {
            let run = cargo_run(command)?;
            let words = run.get_args().map(|it| it.to_string_lossy().into_owned());
            Some(words.collect::<Vec<_>>().join(" "))
        };
        for (command, expected) in [
            ("cargo run", format!("run {TELLING}")),
            (
                "cargo r -p shop -- --port 1",
                format!("r {TELLING} -p shop -- --port 1"),
            ),
            (
                "cargo +stable run --quiet",
                format!("+stable run {TELLING} --quiet"),
            ),
        ] {
            assert_eq!(words(command), Some(expected), "{command}");
        }
        for command in [
            "",
            "true",
            "make run",
            "PORT=1 cargo run",
            "cargo build run",
            "cargo run && true",
            "cargo run -- 'a b'",
            "cargo run -- $PORT",
            "cargo run --message-format=short",
        ] {
            assert_eq!(words(command), None, "{command}");
        }
    }
}
