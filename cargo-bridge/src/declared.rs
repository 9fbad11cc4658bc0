//! Contracts that a program declares in Rust, read like any others.
//!
//! The program tells its descriptors; the contracts of the package complete them, where its types
//! refer to types that were generated.
//!
//! Invariant: what is exported is what the program declared, and nothing that is a file already.

use std::fs;
use std::path::{Path, PathBuf};

use bridge_codegen::export::Linked;
use bridge_codegen::{Exported, Loaded, link};

use crate::args::{Common, Program};
use crate::describe::{self, Description, Descriptors};
use crate::failure::Failure;
use crate::project::Project;

/// The contracts of a program.
pub(crate) struct Declared {
    pub(crate) loaded: Loaded,
    files: Vec<PathBuf>,
}

impl Declared {
    /// `.proto` files of what the program declares.
    pub(crate) fn protos(&self) -> Result<Vec<Exported>, Failure> {
        let mut files = self.loaded.protos()?;
        files.retain(|it| self.files.contains(&it.path));
        Ok(files)
    }
}

/// The contracts that the program declares, where one is named.
pub(crate) fn contracts(common: &Common, program: &Program) -> Result<Option<Declared>, Failure> {
    let Some(description) = describe::wanted(program)? else {
        return Ok(None);
    };
    let set = set(&description)?;
    let linked = link(
        set,
        Path::new(&description.source),
        beside(common)?.as_ref(),
    )?;
    read(&linked).map(Some)
}

fn set(description: &Description) -> Result<&[u8], Failure> {
    let source = &description.source;
    let text = match description.descriptors.as_slice() {
        [Descriptors { set, refused }] if refused.is_empty() => return Ok(set),
        [Descriptors { refused, .. }] => {
            let lines: Vec<_> = refused.iter().map(|it| format!("{source}: {it}")).collect();
            lines.join("\n")
        }
        [] => format!(
            "{source}: the program declares no contract in Rust: list its messages with \
             `bridge::CodeFirst` and call `describe()` before it serves"
        ),
        more => format!(
            "{source}: the program describes contracts in {} places: list all of them in one \
             `bridge::CodeFirst`",
            more.len()
        ),
    };
    Err(Failure::refused(text))
}

/// The contracts of the package here, if it has some.
fn beside(common: &Common) -> Result<Option<Loaded>, Failure> {
    let project = Project::find(common)?;
    // An empty folder is where the first export goes.
    let is_there = fs::read_dir(&project.contracts).is_ok_and(|mut it| it.next().is_some());
    (is_there || project.contracts.is_file())
        .then(|| project.load())
        .transpose()
}

fn read(linked: &Linked) -> Result<Declared, Failure> {
    let no_folder = |error| Failure::refused(format!("no temporary folder: {error}"));
    let folder = tempfile::tempdir().map_err(no_folder)?;
    let file = folder.path().join("declared.binpb");
    fs::write(&file, &linked.set).map_err(no_folder)?;
    Ok(Declared {
        loaded: bridge_codegen::contracts(file).read()?,
        files: linked.declared.iter().map(PathBuf::from).collect(),
    })
}
