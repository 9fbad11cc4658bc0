//! What a program says about itself: routes, operations, dependencies.
//!
//! With BRIDGE_DESCRIBE=FILE set, a program that uses bridge writes this description when it would
//! start to serve, and ends. Unknown members are ignored, absent lists are empty, so that either
//! side may be newer.
//!
//! Invariant: a description of another format is refused, never read in part.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::args::Program;
use crate::asked::{self, Patience, cargo_run, shell};
use crate::document::read_json;
use crate::failure::Failure;
use crate::screen;

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
    /// Why it does not serve: what was said about handlers and cannot hold.
    pub(crate) refused: Vec<String>,
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
    /// Undeclared routes that end with the path that is mounted as it stands.
    pub(crate) elsewhere: Vec<String>,
    /// Methods that are mounted at the path instead.
    pub(crate) mounted_methods: Vec<String>,
    /// Nested services that nobody can see into, where nothing is mounted at the path in sight.
    pub(crate) hidden_in: Vec<String>,
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
        (None, Some(command)) => match cargo_run(command) {
            Some(run) => by_cargo(run, command),
            None => by_command(shell(command), command),
        },
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
    // It may build, and nobody says when it has.
    of(run, command, &Patience::WITH_BUILD, &screen::hint)
}

/// What the program says of itself that `run`, a `cargo run` with the word [`TELLING`], builds and starts.
pub(crate) fn by_cargo(run: Command, command: &str) -> Result<Description, Failure> {
    of(run, command, &Patience::AFTER_BUILD, &screen::hint)
}

fn of(
    run: Command,
    command: &str,
    patience: &Patience,
    say: &dyn Fn(&str),
) -> Result<Description, Failure> {
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::refused(format!("no temporary folder: {error}")))?;
    let file = folder.path().join("description.json");
    asked::asked(run, (command, &file), patience, say)?;
    read(&file, command)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_prints_is_no_word_of_cargo() {
        let built = r#"echo '{"reason":"build-finished","success":true}'"#;
        let says = r#"echo '{"reason":"build-finished","success":false}'"#;
        let description = r#"'{"describe": 1, "service": "shop"}' > "$BRIDGE_DESCRIBE""#;
        let run = format!("{built}; {says}; echo hello; echo {description}");
        let description = by_cargo(shell(&run), "it").unwrap();
        assert_eq!(description.service.as_deref(), Some("shop"));
    }
}
