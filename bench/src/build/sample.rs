//! The packages that are built: a hundred operations on ten resources, in five forms.
//!
//! Forms of one kind have the same handlers, token for token: `samples/` holds one resource, and a
//! form is made of it by leaving our attributes out or by tonic's signatures in place of ours.
//! Versions are those of this workspace, with its lock, so that nothing has to be downloaded.

use std::fs;
use std::path::{Path, PathBuf};

use super::form::{Form, RESOURCES, named};
use super::program::{build_script, program};
use crate::failure::{Context, Failure, Result};

const HANDLERS: &str = include_str!("../../samples/things.rs");
const SERVICE: &str = include_str!("../../samples/things_service.rs");
const CONTRACT: &str = include_str!("../../samples/things.proto");
const AXUM_ERROR: &str = include_str!("../../samples/axum_error.txt");
const TONIC_ERROR: &str = include_str!("../../samples/tonic_error.txt");

/// Our crates that end up in a sample. A user has them from a registry or from git, compiled in 16
/// units as every dependency is; from a path cargo would cut them into 256, to edit them.
const OURS: [&str; 3] = ["bridge", "bridge-contract", "bridge-tower"];

/// What an edit changes, in the body of the first operation of the first resource.
const EDITED: &str = "unwrap_or(20)";

/// A package on disk.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) form: Form,
    pub(super) folder: PathBuf,
    /// The file that edits change, as it was.
    edited: (PathBuf, String),
}

impl Sample {
    /// Writes one below `folder`, with dependencies of the workspace at `root`.
    pub(super) fn write(form: Form, folder: &Path, root: &Path) -> Result<Self> {
        let folder = folder.join(form.package());
        let sources = folder.join("src");
        fs::create_dir_all(&sources).context(sources.display())?;
        write(&folder, "Cargo.toml", &manifest(form, root)?)?;
        let lock = root.join("Cargo.lock");
        fs::copy(&lock, folder.join("Cargo.lock")).context(lock.display())?;
        if form.has_contracts() {
            write(&folder, "build.rs", build_script(form))?;
            let contracts = folder.join("contracts");
            fs::create_dir_all(&contracts).context(contracts.display())?;
            for name in RESOURCES {
                let file = format!("{}s.proto", name.to_lowercase());
                write(&contracts, &file, &named(CONTRACT, name))?;
            }
        }
        for name in RESOURCES {
            let file = format!("{}s.rs", name.to_lowercase());
            write(&sources, &file, &named(&resource(form), name))?;
        }
        write(&sources, "main.rs", &program(form))?;
        let first = sources.join(format!("{}s.rs", RESOURCES[0].to_lowercase()));
        let text = fs::read_to_string(&first).context(first.display())?;
        if text.matches(EDITED).count() != 1 {
            return Err(Failure::new(format!(
                "{EDITED} is not once in {}",
                first.display()
            )));
        }
        Ok(Self {
            form,
            folder,
            edited: (first, text),
        })
    }

    /// Changes one number in one body; another one for every `turn`.
    pub(super) fn edit(&self, turn: usize) -> Result<()> {
        let (path, text) = &self.edited;
        let changed = text.replace(EDITED, &format!("unwrap_or({})", 21 + turn));
        fs::write(path, changed).context(path.display())
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).context(path.display())
}

/// The workspace's own versions, its paths made absolute.
fn manifest(form: Form, root: &Path) -> Result<String> {
    let path = root.join("Cargo.toml");
    let text = fs::read_to_string(&path).context(path.display())?;
    let versions = text
        .split_once("[workspace.dependencies]\n")
        .and_then(|(_, rest)| rest.split("\n[").next())
        .ok_or_else(|| Failure::new(format!("{} has no versions", path.display())))?;
    let placed = |text: &str| text.replace("path = \"", &format!("path = \"{}/", root.display()));
    let ours: String = OURS
        .iter()
        .map(|it| format!("[profile.dev.package.{it}]\ncodegen-units = 16\n"))
        .collect();
    let ours = if form.is_ours() { ours } else { String::new() };
    Ok(format!(
        "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\ntokio.workspace = true\n{}\n[workspace.dependencies]\n{}\n\n{ours}",
        form.package(),
        placed(form.dependencies()),
        placed(versions),
    ))
}

fn resource(form: Form) -> String {
    match form {
        Form::Bridge | Form::BridgeJoined => HANDLERS.to_owned(),
        Form::BridgeContracts => SERVICE.to_owned(),
        Form::Axum => without_attributes(HANDLERS) + AXUM_ERROR,
        Form::Tonic => of_tonic(SERVICE) + TONIC_ERROR,
    }
}

/// The same handlers with nothing of ours.
fn without_attributes(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim().starts_with("#[bridge"));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    text.replace("#[derive(Debug, bridge::Error)]", "#[derive(Debug)]")
}

/// The same bodies behind tonic's signatures.
fn of_tonic(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line.trim() {
            "#[bridge::service]" => {
                out.push_str("#[tonic::async_trait]\nimpl things_server::Things for")
            }
            attribute if attribute.starts_with("#[bridge") => {}
            "impl ThingHost {" if out.ends_with(" for") => out.push_str(" ThingHost {\n"),
            _ if line.starts_with("    async fn") => {
                let line = line
                    .replace("request: ", "request: Request<")
                    .replace(") -> Result<", ">) -> Result<Response<")
                    .replace(", ThingError> {", ">, Status> {");
                out.push_str(&line);
                out.push_str("\n        let request = request.into_inner();\n");
            }
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out.replace(
        "bridge::include_contract!",
        "use tonic::{Request, Response, Status};\n\ntonic::include_proto!",
    )
    .replace("#[derive(Debug, bridge::Error)]", "#[derive(Debug)]")
    .replace("Ok(reply)", "Ok(Response::new(reply))")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_kind_differ_in_nothing_of_their_bodies() {
        let bodies = |form| {
            let text = resource(form);
            let lines = text.lines().map(str::trim).map(str::to_owned);
            lines.filter(|it| !it.starts_with("#[")).collect::<Vec<_>>()
        };
        let (ours, axum) = (bodies(Form::Bridge), bodies(Form::Axum));
        assert_eq!(ours, axum[..ours.len()]);
        let tonic = bodies(Form::Tonic);
        let ours = bodies(Form::BridgeContracts);
        let own = |line: &&String| {
            !line.starts_with("async fn")
                && !line.starts_with("bridge::include_contract!")
                && !line.starts_with("impl ThingHost")
                && *line != "Ok(reply)"
                && !line.is_empty()
        };
        for line in ours.iter().filter(own) {
            assert!(tonic.contains(line), "{line}");
        }
    }

    #[test]
    fn a_sample_is_written_whole_and_edited_in_one_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the workspace");
        for form in Form::ALL {
            let sample = Sample::write(form, folder.path(), root).expect("a sample");
            let (path, before) = sample.edited.clone();
            sample.edit(1).expect("an edit");
            let after = fs::read_to_string(path).expect("its text");
            assert_eq!(before.lines().count(), after.lines().count());
            let changed = before.lines().zip(after.lines()).filter(|(a, b)| a != b);
            assert_eq!(changed.count(), 1, "{form:?}");
            assert!(!after.contains("Thing"), "{form:?}");
        }
    }
}
