//! From paths to compiled descriptors: finds the files, compiles them, knows every position.
//!
//! Refuses to guess: a folder without contracts is a fault, and symlinked folders and hidden
//! entries are not entered. Compiles as many files as it can before it gives up, so that one run
//! shows the faults of all.
//!
//! Invariant: `Sources::files` is the exact import closure, each file after those it imports.

use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorProto;

use crate::error::{Error, Fault};

/// How many folders deep contracts are looked for.
const MAX_FOLDER_DEPTH: usize = 32;

/// The compiled contracts and what they import.
pub(crate) struct Sources {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) pool: DescriptorPool,
}

/// One compiled file.
pub(crate) struct SourceFile {
    /// The name that others import it by.
    pub(crate) name: String,
    /// Where it is; none for the well-known files that come with the compiler.
    pub(crate) path: Option<PathBuf>,
    pub(crate) descriptor: FileDescriptorProto,
}

impl SourceFile {
    pub(crate) fn package(&self) -> &str {
        self.descriptor.package()
    }

    /// Whether Rust types for it exist already.
    pub(crate) fn is_well_known(&self) -> bool {
        let package = self.package();
        package == "google.protobuf" || package.starts_with("google.protobuf.")
    }

    /// A fault at a declaration, named by its path in the descriptor.
    pub(crate) fn fault(&self, declaration: &[i32], message: impl Into<String>) -> Fault {
        let path = self.path.as_deref().unwrap_or(Path::new(&self.name));
        Fault {
            position: self.position(declaration),
            ..Fault::new(path, message)
        }
    }

    /// `file:line:column` of a declaration, for use inside another fault's message.
    pub(crate) fn place(&self, declaration: &[i32]) -> String {
        let at = self.fault(declaration, "").to_string();
        at.trim_end_matches(": ").to_owned()
    }

    fn position(&self, declaration: &[i32]) -> Option<(u32, u32)> {
        let info = self.descriptor.source_code_info.as_ref()?;
        let location = info
            .location
            .iter()
            .find(|location| location.path == declaration)?;
        let line = u32::try_from(*location.span.first()?).ok()?;
        let column = u32::try_from(*location.span.get(1)?).ok()?;
        Some((line + 1, column + 1))
    }
}

/// Compiles the contracts at `path`, a folder or a file.
pub(crate) fn load(path: &Path, includes: &[PathBuf]) -> Result<Sources, Error> {
    let protos = find(path)?;
    let roots = import_roots(path, includes);
    let mut compiler = protox::Compiler::new(&roots)
        .map_err(|error| Fault::new(path, format!("cannot set up the compiler: {error}")))?;
    compiler.include_imports(true).include_source_info(true);
    let mut faults = Vec::new();
    for proto in &protos {
        if let Err(error) = compiler.open_file(proto) {
            faults.extend(compile_faults(&roots, proto, &error));
        }
    }
    Error::unless_empty(faults)?;
    let paths: Vec<_> = compiler
        .files()
        .map(|file| file.path().map(Path::to_path_buf))
        .collect();
    let descriptors = compiler.file_descriptor_set().file;
    let files = descriptors
        .into_iter()
        .zip(paths)
        .map(|(descriptor, path)| SourceFile {
            name: descriptor.name().to_owned(),
            path,
            descriptor,
        })
        .collect();
    Ok(Sources {
        files,
        pool: compiler.descriptor_pool(),
    })
}

/// The contracts' own folder comes first, unless an include folder contains it already: a file
/// must not be known under two names.
fn import_roots(path: &Path, includes: &[PathBuf]) -> Vec<PathBuf> {
    let own = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new(""))
    };
    let mut roots = includes.to_vec();
    if !includes.iter().any(|include| own.starts_with(include)) {
        roots.insert(0, own.to_path_buf());
    }
    roots
}

fn find(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    find_below(path, MAX_FOLDER_DEPTH, &mut found)?;
    if found.is_empty() {
        let message = "no .proto file in this folder or below: add one or correct the path";
        return Err(Fault::new(path, message).into());
    }
    Ok(found)
}

fn find_below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let cannot_read = |error| {
        Fault::new(
            folder,
            format!("cannot read ({error}): correct the path in build.rs"),
        )
    };
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(cannot_read)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type().map_err(cannot_read)?.is_dir() {
            match depth.checked_sub(1) {
                Some(depth) => find_below(&path, depth, found)?,
                None => {
                    let message = format!("more than {MAX_FOLDER_DEPTH} folders deep: move it up");
                    return Err(Fault::new(&path, message).into());
                }
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            found.push(path);
        }
    }
    Ok(())
}

fn compile_faults(roots: &[PathBuf], opened: &Path, error: &protox::Error) -> Vec<Fault> {
    let name = error.file();
    let path = name
        .and_then(|name| {
            roots
                .iter()
                .map(|root| root.join(name))
                .find(|path| path.is_file())
        })
        .unwrap_or_else(|| opened.to_path_buf());
    let source = fs::read_to_string(&path).unwrap_or_default();
    let mut faults = vec![diagnostic_fault(&path, &source, error)];
    let related = error.related().into_iter().flatten();
    faults.extend(related.map(|diagnostic| diagnostic_fault(&path, &source, diagnostic)));
    faults
}

fn diagnostic_fault(path: &Path, source: &str, diagnostic: &dyn Diagnostic) -> Fault {
    let mut message = diagnostic.to_string();
    if let Some(help) = diagnostic.help() {
        message = format!("{message} ({help})");
    }
    let mut cause = std::error::Error::source(diagnostic);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    let message = message.lines().collect::<Vec<_>>().join(" ");
    let labels: Vec<_> = diagnostic.labels().into_iter().flatten().collect();
    // Of two places that do not go together, the later one is where to look.
    let again = labels
        .iter()
        .find(|label| label.label().is_some_and(|it| it.contains("again")));
    let offset = match again.or(labels.first()) {
        Some(label) => Some(label.offset()),
        None if message.contains("end of file") => Some(source.len()),
        None => None,
    };
    Fault {
        position: offset.map(|offset| line_and_column(source, offset)),
        ..Fault::new(path, message)
    }
}

fn line_and_column(source: &str, offset: usize) -> (u32, u32) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    let number = |n| u32::try_from(n).unwrap_or(u32::MAX);
    (number(line), number(column))
}
