//! From paths to compiled descriptors: finds the files, compiles them, knows every position.
//!
//! Compiles as many files as it can before it gives up, so that one run shows the faults of all.
//! A `.proto` file wins over its copy in a descriptor set.
//!
//! Invariant: `Sources::files` is the exact import closure, each file after those it imports.

mod lines;
mod source_file;

mod root;
mod alone;
mod json_names;
mod compile_faults;
mod find;
mod json_places;
mod set_check;
mod sets;

mod schema_file;
mod reserved;
mod known;
mod numbered;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use protox::file::{ChainFileResolver, GoogleFileResolver};

pub(crate) use schema_file::SchemaFile;
pub(crate) use source_file::{SourceFile, WELL_KNOWN_FILES, tag};

use crate::error::{Error, Fault};
use alone::Alone;
use numbered::Numbered;
use root::Root;
use sets::DescriptorSet;

/// The compiled contracts and what they import.
pub(crate) struct Sources {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) schemas: Vec<SchemaFile>,
    pub(crate) pool: DescriptorPool,
}

impl Sources {
    /// Whether `google.api` is there because an option of it is used, and not as a contract.
    pub(crate) fn knows_api_options(&self) -> bool {
        self.files.iter().any(known::is_ours)
    }
}

/// Compiles the contracts at `path`, a folder or a file.
///
/// # Errors
///
/// Everything that is wrong with any of the files.
pub(crate) fn load(path: &Path, includes: &[PathBuf]) -> Result<Sources, Error> {
    let found = find::find(path)?;
    let own = own_folder(path);
    let roots = import_roots(own, includes);
    let mut faults: Vec<_> = includes.iter().filter_map(|it| no_folder(it)).collect();
    let mut sets = Vec::new();
    for set in &found.sets {
        match sets::read(set) {
            Ok(set) => sets.push(set),
            Err(fault) => faults.push(fault),
        }
    }
    let mut schemas = Vec::new();
    for file in &found.schemas {
        match schema_file::read(own, file) {
            Ok(file) => schemas.push(file),
            Err(of_file) => faults.extend(of_file),
        }
    }
    let in_sets = sets
        .iter()
        .flat_map(|set| set.names.iter().map(|name| (name, &set.path)));
    let in_sets = in_sets.map(|(name, set)| (Path::new(name), set));
    let opened = found
        .protos
        .iter()
        .map(|proto| (&**proto, proto))
        .chain(in_sets);
    let compiler = compile(&roots, &sets, opened, &mut faults);
    Error::unless_empty(faults)?;
    let files = files(&compiler, &roots, &sets);
    let own = files.iter().filter(|it| !it.is_well_known());
    Error::unless_empty(own.flat_map(reserved::faults).collect())?;
    Ok(Sources {
        files,
        schemas,
        pool: compiler.descriptor_pool(),
    })
}

/// Compiles files, each given with the file on disk that it is in.
fn compile<'p>(
    roots: &[PathBuf],
    sets: &[DescriptorSet],
    opened: impl Iterator<Item = (&'p Path, &'p PathBuf)>,
    faults: &mut Vec<Fault>,
) -> protox::Compiler {
    let alone = Alone::default();
    let fresh = || {
        let mut compiler = protox::Compiler::with_file_resolver(resolver(&alone, roots, sets));
        compiler.include_imports(true).include_source_info(true);
        compiler
    };
    let mut compiler = fresh();
    for (file, on_disk) in opened {
        loop {
            // The compiler trusts descriptors in ways that a broken set does not deserve.
            let opening = AssertUnwindSafe(|| compiler.open_file(file).map(drop));
            let Ok(opened) = std::panic::catch_unwind(opening) else {
                let text = "the compiler gave up on it: if this is a descriptor set it is a \
                            broken one, make it again with `buf build -o` or `protoc -o`";
                faults.push(Fault::new(on_disk, text));
                // What it had begun is in no known state.
                return fresh();
            };
            match opened {
                Err(error) if alone.help(&error, &fresh) => {}
                Err(error) => {
                    faults.extend(compile_faults::faults(roots, on_disk, &error));
                    break;
                }
                Ok(()) => break,
            }
        }
    }
    compiler
}

/// What is wrong with an include folder that is none: nothing would ever be found in it.
fn no_folder(include: &Path) -> Option<Fault> {
    let text = "is to be looked in for imports, and is no folder: correct `.include(…)` in build.rs, \
                `include` in Cargo.toml, or `--include`";
    (!include.is_dir()).then(|| Fault::new(include, text))
}

fn own_folder(path: &Path) -> &Path {
    if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new(""))
    }
}

/// The contracts' own folder comes first, unless an include folder contains it already: a file
/// must not be known under two names.
fn import_roots(own: &Path, includes: &[PathBuf]) -> Vec<PathBuf> {
    let mut roots = includes.to_vec();
    if !includes.iter().any(|include| own.starts_with(include)) {
        roots.insert(0, own.to_path_buf());
    }
    roots
}

fn resolver(alone: &Alone, roots: &[PathBuf], sets: &[DescriptorSet]) -> Numbered {
    let mut chain = ChainFileResolver::new();
    chain.add(alone.clone());
    for root in roots {
        chain.add(Root::new(root.clone()));
    }
    for set in sets {
        chain.add(set.resolver());
    }
    chain.add(GoogleFileResolver::new());
    chain.add(known::KnownOptions);
    Numbered::of(chain)
}

fn files(
    compiler: &protox::Compiler,
    roots: &[PathBuf],
    sets: &[DescriptorSet],
) -> Vec<SourceFile> {
    let of_sets: BTreeMap<&str, &Path> = sets
        .iter()
        .flat_map(|set| set.names.iter().map(|name| (name.as_str(), &*set.path)))
        .collect();
    let paths: Vec<_> = compiler
        .files()
        .map(|file| file.path().map(Path::to_path_buf))
        .collect();
    let descriptors = compiler.file_descriptor_set().file;
    descriptors
        .into_iter()
        .zip(paths)
        .map(|(descriptor, path)| {
            // What was compiled alone has lost its path.
            let at = |root: &PathBuf| Some(root.join(descriptor.name())).filter(|it| it.is_file());
            let path = path.or_else(|| roots.iter().find_map(at));
            let set = of_sets.get(descriptor.name()).copied();
            SourceFile::new(descriptor, path, set)
        })
        .collect()
}
