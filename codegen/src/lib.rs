//! Rust from contracts: messages, service contracts and typed clients for a `build.rs`.
//!
//! ```no_run
//! // build.rs, the whole of `fn main`
//! bridge_codegen::contracts("contracts/").compile()
//! ```
//!
//! Every `.proto` below `contracts/` and everything it imports becomes Rust in `OUT_DIR`:
//! `shop.payments.v1.rs` for package `shop.payments.v1` (`_.rs` for files without a package), and
//! `mod.rs`, the tree of all packages. Paths in a `build.rs` are relative to its package.
//!
//! # Including what was generated
//!
//! Packages refer to each other along the module tree, `shop.payments.v1` being
//! `shop::payments::v1`. So there are two ways:
//!
//! - `bridge::include_contract!("mod");` in one module includes **all** packages as that tree.
//!   This always works.
//! - `bridge::include_contract!("shop.payments.v1");` includes one package anywhere. This works
//!   while the package refers to no other one but `google.protobuf`; the first lines of its file
//!   say if it does.
//!
//! Choose one of them for a crate: a package that is included twice is two sets of types.
//! One `OUT_DIR` belongs to one `compile`; give a second one its own [`Contracts::out_dir`].
//!
//! # What is refused
//!
//! Client-streaming rpcs, groups, editions, two rpcs of one name in a file, and names that would
//! be one name in Rust. Each is reported as `file:line:column: message`, all at once.
//!
//! Invariant: the output depends on the contract files only, never on the machine or the time,
//! and a file whose content would not change is not written.

mod error;
mod load;
mod names;

mod model;

mod check;
mod render;
mod write;

use std::io::Write as _;
use std::path::{Path, PathBuf};

pub use error::{Error, Fault};

/// Starts a compilation of the `.proto` files below a folder, or of one `.proto` file.
pub fn contracts(path: impl Into<PathBuf>) -> Contracts {
    Contracts {
        path: path.into(),
        includes: Vec::new(),
        out_dir: None,
    }
}

/// What to compile and where to; see [`contracts`].
#[derive(Clone, Debug)]
#[must_use = "nothing is generated before `compile`"]
pub struct Contracts {
    path: PathBuf,
    includes: Vec<PathBuf>,
    out_dir: Option<PathBuf>,
}

/// What a compilation did.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Every generated file, whether or not it had to be written.
    pub generated: Vec<PathBuf>,
    /// The files and the folder that the output depends on, imports among them.
    pub inputs: Vec<PathBuf>,
}

impl Contracts {
    /// Adds a folder to find imports in, after the contracts' own folder.
    ///
    /// When the contracts lie below an include folder, their import names start there instead.
    pub fn include(mut self, dir: impl Into<PathBuf>) -> Self {
        self.includes.push(dir.into());
        self
    }

    /// Writes to `dir` instead of `OUT_DIR`. The folder is created if missing.
    pub fn out_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(dir.into());
        self
    }

    /// Compiles from a `build.rs`: tells Cargo what to watch, and reports faults as its errors.
    ///
    /// On a fault it returns as usual; Cargo fails the build after the script has ended, with one
    /// line for each fault and no backtrace.
    pub fn compile(self) {
        let directives = match self.try_compile() {
            Ok(compiled) => watch_lines(&compiled.inputs),
            Err(error) => {
                let watched = std::iter::once(&self.path).chain(&self.includes);
                let mut lines = watch_lines(watched);
                lines.extend(
                    error
                        .faults()
                        .iter()
                        .map(|fault| format!("cargo::error={fault}")),
                );
                lines
            }
        };
        let mut stdout = std::io::stdout().lock();
        for line in directives {
            // Cargo reads the other end; when it is gone, nobody is left to tell.
            let _ = writeln!(stdout, "{line}");
        }
    }

    /// Compiles without talking to Cargo: for tests, tools and build scripts with more to say.
    ///
    /// # Errors
    ///
    /// All faults found in the contracts, or that the output could not be written.
    pub fn try_compile(&self) -> Result<Compiled, Error> {
        let out_dir = self.resolve_out_dir()?;
        let sources = load::load(&self.path, &self.includes)?;
        let model = model::build(&sources)?;
        check::check(&sources, &model)?;
        let files = render::render(&sources, &model)?;
        let generated = files
            .iter()
            .map(|file| write::write_if_changed(&out_dir, &file.name, &file.text))
            .collect::<Result<_, _>>()?;
        Ok(Compiled {
            generated,
            inputs: self.inputs(&sources),
        })
    }

    fn resolve_out_dir(&self) -> Result<PathBuf, Error> {
        self.out_dir
            .clone()
            .or_else(|| std::env::var_os("OUT_DIR").map(PathBuf::from))
            .ok_or_else(|| {
                Fault::new(
                    &self.path,
                    "OUT_DIR is not set: call from build.rs or use out_dir",
                )
                .into()
            })
    }

    fn inputs(&self, sources: &load::Sources) -> Vec<PathBuf> {
        let files = sources.files.iter().filter_map(|file| file.path.as_deref());
        let mut inputs: Vec<_> = files.map(Path::to_path_buf).collect();
        inputs.push(self.path.clone());
        inputs.sort();
        inputs.dedup();
        inputs
    }
}

fn watch_lines<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> Vec<String> {
    let line = |path: &PathBuf| format!("cargo::rerun-if-changed={}", path.display());
    paths.into_iter().map(line).collect()
}
