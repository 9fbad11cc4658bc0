//! What a program says about itself: routes, operations, dependencies.
//!
//! With BRIDGE_DESCRIBE=FILE set, a program that uses bridge writes this description when it would
//! start to serve, and ends. Unknown members are ignored, absent lists are empty, so that either
//! side may be newer.
//!
//! Invariant: a program that does not end is stopped when patience with it ends, with the reason. Where
//! Cargo builds it and says so, its own time begins when it is built: a busy machine, or another
//! build that Cargo waits for, is no fault of the program.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::args::Program;
use crate::document::read_json;
use crate::failure::Failure;

/// How long a command may take, and how long a build may that Cargo tells the end of.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How long a program that is built may take until it would serve.
const START: Duration = Duration::from_secs(60);
/// How long what an ended program printed is passed on; what it started may hold its output open.
const OUTPUT: Duration = Duration::from_secs(2);
/// The word that makes `cargo run` say on its standard output when it has built.
pub(crate) const TELLING: &str = "--message-format=json-render-diagnostics";
/// The variable that asks for a description.
const VARIABLE: &str = "BRIDGE_DESCRIBE";
/// The format of descriptions that is read.
const FORMAT: u64 = 1;

/// A description.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Description {
    describe: u64,
    pub(crate) service: Option<String>,
    pub(crate) map: RouteMap,
    pub(crate) operations: Vec<Operation>,
    pub(crate) rpcs: Vec<Rpc>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) audit: Option<Audit>,
    pub(crate) openapi: Option<Document>,
    pub(crate) descriptors: Vec<Descriptors>,
    /// Where it was read from.
    #[serde(skip)]
    pub(crate) source: String,
}

/// Contracts that are declared in Rust, or why they cannot be files.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Descriptors {
    /// A `google.protobuf.FileDescriptorSet`.
    pub(crate) set: Vec<u8>,
    pub(crate) refused: Vec<String>,
}

/// OpenAPI of the annotated HTTP handlers, or why there is none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Document {
    pub(crate) document: Value,
    /// Where what is in it is defined, by pointers into it.
    pub(crate) sites: BTreeMap<String, String>,
    pub(crate) left_out: Vec<String>,
    pub(crate) refused: Vec<String>,
}

/// The routes of the application.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RouteMap {
    pub(crate) routes: Vec<Route>,
    pub(crate) fallbacks: Vec<String>,
    /// Why the routes could not be read, if they could not.
    pub(crate) degraded: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Route {
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) methods: Vec<String>,
}

/// An annotated HTTP handler.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) site: String,
    /// Full names of the contracts whose clients it takes.
    pub(crate) calls: Vec<String>,
}

/// An annotated rpc handler.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rpc {
    pub(crate) contract: String,
    pub(crate) name: String,
    pub(crate) site: String,
    pub(crate) calls: Vec<String>,
}

/// A service that the program calls.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Dependency {
    pub(crate) service: String,
    pub(crate) contract: String,
}

/// Declared operations and mounted routes, compared.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Audit {
    pub(crate) declared_and_mounted: Vec<Compared>,
    pub(crate) declared_not_mounted: Vec<Compared>,
    pub(crate) ambiguous: Vec<Compared>,
    pub(crate) mounted_not_declared: Vec<Compared>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Compared {
    pub(crate) operation: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) mounted_at: String,
    /// Methods that are mounted at the path instead.
    pub(crate) mounted_methods: Vec<String>,
    pub(crate) candidates: Vec<String>,
}

/// The description of a program, where one is named.
pub(crate) fn wanted(program: &Program) -> Result<Option<Description>, Failure> {
    let is_named = program.description.is_some() || program.describe.is_some();
    is_named.then(|| required(program)).transpose()
}

/// The description that must be there for what was asked.
pub(crate) fn required(program: &Program) -> Result<Description, Failure> {
    match (&program.description, &program.describe) {
        (Some(path), _) => read(path, &path.display().to_string()),
        (None, Some(command)) => by_command(shell(command), command),
        (None, None) => Err(Failure::usage(
            "say which program: --describe 'cargo run', or --description FILE with what it wrote",
        )),
    }
}

/// The description in a file.
pub(crate) fn read(path: &Path, source: &str) -> Result<Description, Failure> {
    let value = read_json(path)?;
    let mut description: Description = serde_json::from_value(value)
        .map_err(|error| Failure::refused(format!("{source}: is no description ({error})")))?;
    if description.describe != FORMAT {
        return Err(Failure::refused(format!(
            "{source}: is a description of format {}, and this command reads {FORMAT}: use the \
             cargo-bridge of the program's version of bridge",
            description.describe
        )));
    }
    description.source = source.to_owned();
    Ok(description)
}

/// What the program that `run` builds and starts in any way says of itself; `command` is what it is
/// called in messages.
pub(crate) fn by_command(run: Command, command: &str) -> Result<Description, Failure> {
    of(run, command, None, PATIENCE)
}

/// What the program says of itself that `run`, a `cargo run` with the word [`TELLING`], builds and starts.
pub(crate) fn by_cargo(run: Command, command: &str) -> Result<Description, Failure> {
    of(run, command, Some(PATIENCE), START)
}

fn of(
    mut run: Command,
    command: &str,
    building: Option<Duration>,
    running: Duration,
) -> Result<Description, Failure> {
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::refused(format!("no temporary folder: {error}")))?;
    let file = folder.path().join("description.json");
    let child = run
        .env(VARIABLE, &file)
        .stdin(Stdio::null())
        .stdout(match building {
            Some(_) => Stdio::piped(),
            // What the program prints is not what this command prints.
            None => Stdio::from(io::stderr()),
        })
        .spawn()
        .map_err(|error| Failure::usage(format!("`{command}` cannot be started: {error}")))?;
    let status = ended(child, command, building, running)?;
    if !status.success() {
        return Err(Failure::silent(format!(
            "`{command}` failed ({status}): see above"
        )));
    }
    if !file.exists() {
        return Err(Failure::silent(format!(
            "`{command}` wrote no description: it must reach `bridge::declare` or \
             `Builder::start`, with a bridge that knows {VARIABLE}"
        )));
    }
    read(&file, command)
}

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

/// What is heard of a command.
enum Heard {
    Built,
    Ended(io::Result<ExitStatus>),
}

/// Waits for the program, `running` after it is built; one that goes on serving is stopped.
fn ended(
    mut child: Child,
    command: &str,
    building: Option<Duration>,
    running: Duration,
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
    let mut is_built = building.is_none();
    let mut patience = building.unwrap_or(running);
    loop {
        match told.recv_timeout(patience) {
            Ok(Heard::Built) => (is_built, patience) = (true, running),
            Ok(Heard::Ended(status)) => {
                // Either all is printed, or its status is what there is to say.
                let _ = printed.recv_timeout(OUTPUT);
                return status
                    .map_err(|_| Failure::refused(format!("`{command}` cannot be waited for")));
            }
            Err(_) => {
                stop(id);
                return Err(Failure::silent(late(command, is_built, patience)));
            }
        }
    }
}

fn late(command: &str, is_built: bool, patience: Duration) -> String {
    let minutes = patience.as_secs() / 60;
    if !is_built {
        return format!("`{command}` did not build the program within {minutes} minutes");
    }
    format!(
        "`{command}` did not end within {minutes} minutes: a program with {VARIABLE} set writes its \
         description and ends; does it use bridge?"
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
    use super::*;

    #[test]
    fn a_program_that_writes_nothing_is_told_what_would_have_written() {
        let failure = by_command(shell("true"), "true").unwrap_err();
        let text = failure.to_string();
        assert!(
            text.contains("must reach `bridge::declare` or `Builder::start`"),
            "{text}"
        );
        assert!(!text.contains("observe"), "{text}");
    }

    /// What is told of a command with these patiences.
    fn told(command: &str, building: Duration, running: Duration) -> String {
        let failure = of(shell(command), command, Some(building), running)
            .expect_err("it writes no description");
        failure.to_string()
    }

    /// What Cargo says, and the program after it.
    const BUILT: &str = r#"echo '{"reason":"compiler-artifact"}'
        echo '{"reason":"build-finished","success":true}'"#;

    #[test]
    fn the_time_of_a_program_begins_when_it_is_built() {
        let text = told("sleep 0.2; exit 3", PATIENCE, Duration::ZERO);
        assert!(text.contains("failed (exit status: 3)"), "{text}");

        let serves = format!("{BUILT}; exec sleep 600");
        let text = told(&serves, PATIENCE, Duration::ZERO);
        assert!(text.contains("did not end within 0 minutes"), "{text}");

        let text = told("exec sleep 600", Duration::ZERO, PATIENCE);
        assert!(
            text.contains("did not build the program within 0"),
            "{text}"
        );
    }

    #[test]
    fn what_a_program_prints_is_no_word_of_cargo() {
        let description = r#"'{"describe": 1, "service": "shop"}' > "$BRIDGE_DESCRIBE""#;
        let says = r#"echo '{"reason":"build-finished","success":false}'"#;
        let run = format!("{BUILT}; {says}; echo hello; echo {description}");
        let description = of(shell(&run), "it", Some(PATIENCE), PATIENCE).unwrap();
        assert_eq!(description.service.as_deref(), Some("shop"));
    }
}
