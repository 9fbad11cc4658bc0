//! Rust from contracts: messages, service contracts, typed clients and servers for a `build.rs`.
//!
//! ```no_run
//! // build.rs, the whole of `fn main`
//! bridge_codegen::contracts("contracts/").compile()
//! ```
//!
//! Everything below `contracts/` and everything it imports becomes Rust in `OUT_DIR`:
//! `shop.payments.v1.rs` for package `shop.payments.v1` (`_.rs` for files without a package), and
//! `mod.rs`, the tree of all packages. Paths in a `build.rs` are relative to its package.
//!
//! # What is read
//!
//! - `.proto` files, proto2 and proto3. What they import is looked for in the folder itself and in
//!   those given with [`Contracts::include`].
//! - `.schema.json` files, the contract's own format with explicit field numbers. Such a file is
//!   the package of its path, with messages `Input` and `Output`: `payments/charge.schema.json` is
//!   `payments::charge::Input`, and method `Charge` of the service `Payments` that all files of
//!   the folder `payments` make up. In `contracts/` itself each file is a service of its own.
//! - Descriptor sets of `buf` or `protoc` (`.binpb`, `.desc`, `.fds`), as if the files in them
//!   were there.
//!
//! A byte order mark, which editors on Windows put first, is no part of a file. Imports are looked for
//! in the contracts' folder, then in every [`Contracts::include`].
//! `google/protobuf/*` comes with the generator, and so do `google/api/annotations.proto`,
//! `http.proto` and `field_behavior.proto`; a copy of yours comes first.
//!
//! # What messages are
//!
//! Plain structs. Fields without presence are plain values; `optional` and message fields are
//! `Option`, unless the contract requires them (`required` of proto2, and on message fields the
//! options `google.api.field_behavior` and `buf.validate`): those are plain too, and a message
//! without them is refused when it is read, with the path of what is missing. `bytes` are `Bytes`,
//! which share the memory of what was received; maps are ordered, so that equal messages are equal
//! bytes. An enum has a variant for each number and `Unrecognized` for those of later versions.
//! Messages are `Debug`, which cuts what is long, and go to and from JSON through serde.
//!
//! # Including what was generated
//!
//! Packages refer to each other along the module tree, `shop.payments.v1` being
//! `shop::payments::v1`. So there are two ways:
//!
//! - `bridge::include_contract!("mod");` in one module includes **all** packages as that tree.
//!   This always works.
//! - `bridge::include_contract!("shop.payments.v1");` includes one package anywhere. This works
//!   while the package refers to no other one but `google.protobuf`'s well-known types; where it does,
//!   each of the others is one error, at a line that says so. The service of a `.schema.json` file
//!   refers to the package with its messages.
//!
//! Choose one of them for a crate: a package that is included twice is two sets of types.
//! One `OUT_DIR` belongs to one `compile`; give a second one its own [`Contracts::out_dir`]. What was
//! generated for a contract that is gone is removed by the next run.
//!
//! Or check the files in: [`Contracts::checked_in`] writes the same code to a folder of the
//! crate, whose `mod.rs` is a module like any other.
//!
//! # The accepted contract
//!
//! With a lock, a build fails on a change that breaks somebody, and warns of every other one until
//! it is accepted. `cargo bridge accept` writes the lock; it is committed, and its diff is the
//! change of the contract. A map of the running services, what `bridge map -o json` prints, adds the
//! names of those who break. HTTP routes and events, which a build does not see, are compared by
//! `cargo bridge check`. See [`lock`].
//!
//! What is compatible for callers may still ask something of the code that was generated anew: a
//! new field is one more in a literal that names all of them, a new value or member of a oneof is
//! one more arm of a `match`. Such a change is minor, and its line says so. Code that ends literals
//! in `..Default::default()` and has a `_` arm compiles on.
//!
//! ```no_run
//! bridge_codegen::contracts("contracts/").lock("bridge.lock").map("map.json").compile()
//! ```
//!
//! [`Contracts::read`] gives the same contracts to tools: as OpenAPI, AsyncAPI, `.proto` and
//! `.schema.json`, see [`Loaded`] and [`export`].
//!
//! # What is refused
//!
//! Client-streaming rpcs, groups, editions, two rpcs of one name in a file, rpcs with
//! `google.protobuf` types on both sides, names that would be one name in Rust or in JSON, and reserved
//! numbers and names that are backwards, double or in use, bodies of a GET, keys of `.schema.json` that
//! the format does not have, and includes that are no folder. Each is
//! reported as `file:line:column: message`, all at once. For contracts that are not yours to
//! change, [`Contracts::skip_unsupported`] leaves out what the wire cannot carry.
//!
//! Invariant: the output depends on the contract files and the generator's version, never on the
//! machine or the time, and a file whose content would not change is not written.

mod error;
mod place;
mod names;

mod load;

mod model;

mod http_path;
mod http_rules;

mod check;
mod render;
mod write;

pub mod lock;
pub mod export;

mod loaded;

use std::io::Write as _;
use std::path::{Path, PathBuf};

pub use error::{Error, Fault};
pub use loaded::{Exported, Loaded, link};
pub use write::{Difference, DifferenceKind};

use load::Sources;
use model::Model;

/// Starts a compilation of the contracts below a folder, or of one file.
pub fn contracts(path: impl Into<PathBuf>) -> Contracts {
    Contracts {
        path: path.into(),
        includes: Vec::new(),
        out_dir: None,
        lock: None,
        map: None,
        checked_in: false,
        skip_unsupported: false,
    }
}

/// What to compile and where to; see [`contracts`].
#[derive(Clone, Debug)]
#[must_use = "nothing is generated before `compile`"]
pub struct Contracts {
    path: PathBuf,
    includes: Vec<PathBuf>,
    out_dir: Option<PathBuf>,
    lock: Option<PathBuf>,
    map: Option<PathBuf>,
    checked_in: bool,
    skip_unsupported: bool,
}

/// What a compilation did.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Every generated file, whether or not it had to be written.
    pub generated: Vec<PathBuf>,
    /// The files and the folder that the output depends on, imports among them.
    pub inputs: Vec<PathBuf>,
    /// What was left out because the wire cannot carry it; empty unless
    /// [`Contracts::skip_unsupported`] was asked for.
    pub left_out: Vec<Fault>,
}

impl Contracts {
    /// Adds a folder to find imports in, after the contracts' own folder.
    ///
    /// When the contracts lie below an include folder, their import names start there instead.
    pub fn include(mut self, dir: impl Into<PathBuf>) -> Self {
        self.includes.push(dir.into());
        self
    }

    /// Writes to `dir` instead of `OUT_DIR`. The folder is created if missing. A hidden file in it lists
    /// what was written, so that the next run removes what no contract is behind any more.
    pub fn out_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(dir.into());
        self
    }

    /// Writes to a folder that is checked in, such as `src/gen`: what is in `OUT_DIR`, with a sum of it
    /// in the header that tells whether somebody edited it.
    ///
    /// The folder is the generator's own: what it wrote there for contracts that are gone is
    /// removed. Include it with `mod gen;`, under a name that is no keyword: `#[path =
    /// "gen/mod.rs"] mod contracts;`.
    pub fn checked_in(mut self, dir: impl Into<PathBuf>) -> Self {
        self.checked_in = true;
        self.out_dir(dir)
    }

    /// Leaves out what the wire cannot carry, instead of refusing the contracts: client-streaming
    /// rpcs, groups, rpcs of a name that is taken. Every one is a warning of the build.
    pub fn skip_unsupported(mut self) -> Self {
        self.skip_unsupported = true;
        self
    }

    /// Compares the contracts with the accepted ones in `file`, such as `bridge.lock`, whenever
    /// they are compiled from a `build.rs`.
    ///
    /// A change that breaks somebody fails the build, another one is a warning; both name the
    /// declaration. `cargo bridge accept` writes the file, which is committed.
    pub fn lock(mut self, file: impl Into<PathBuf>) -> Self {
        self.lock = Some(file.into());
        self
    }

    /// Names who calls what a change breaks, by a map that `bridge map -o json` printed. Without
    /// the file nobody is named.
    pub fn map(mut self, file: impl Into<PathBuf>) -> Self {
        self.map = Some(file.into());
        self
    }

    /// Reads the contracts without writing anything: for exports, comparisons and tools.
    ///
    /// # Errors
    ///
    /// All faults found in the contracts.
    pub fn read(&self) -> Result<Loaded, Error> {
        let (sources, model) = self.load()?;
        Ok(Loaded {
            sources,
            model,
            path: self.path.clone(),
        })
    }

    /// Compiles from a `build.rs`: tells Cargo what to watch, and reports faults as its errors.
    ///
    /// On a fault it returns as usual; Cargo fails the build after the script has ended, with one
    /// line for each fault and no backtrace.
    pub fn compile(self) {
        let done = self
            .read()
            .and_then(|loaded| Ok((self.generate(&loaded)?, loaded)));
        let directives = match done {
            Ok((compiled, loaded)) => {
                let mut lines = watch_lines(&compiled.inputs);
                lines.extend(directives("warning", &compiled.left_out));
                lines.extend(self.gate_lines(&loaded));
                lines
            }
            Err(error) => {
                let watched = std::iter::once(&self.path).chain(&self.includes);
                let mut lines = watch_lines(watched);
                lines.extend(directives("error", error.faults()));
                lines
            }
        };
        let mut stdout = std::io::stdout().lock();
        for line in directives {
            // Cargo reads the other end; when it is gone, nobody is left to tell.
            let _ = writeln!(stdout, "{line}");
        }
    }

    /// What the gate says to Cargo.
    fn gate_lines(&self, loaded: &Loaded) -> Vec<String> {
        let Some(lock) = &self.lock else {
            return Vec::new();
        };
        // Cargo takes a watched file that is not there for a change, at every build: right for a lock
        // that is still to come, too much for a map that may never.
        let map = self.map.iter().filter(|it| it.exists());
        let mut lines = watch_lines(std::iter::once(lock).chain(map));
        match lock::Gate::of_build(lock, self.map.as_deref(), &loaded.lock()) {
            Ok(gate) => lines.extend(gate.directives(lock)),
            Err(error) => lines.extend(directives("error", error.faults())),
        }
        lines
    }

    /// Compiles without talking to Cargo: for tests, tools and build scripts with more to say.
    ///
    /// # Errors
    ///
    /// All faults found in the contracts, or that the output could not be written.
    pub fn try_compile(&self) -> Result<Compiled, Error> {
        self.generate(&self.read()?)
    }

    fn generate(&self, loaded: &Loaded) -> Result<Compiled, Error> {
        let out_dir = self.resolve_out_dir()?;
        let files = self.render(&loaded.model);
        let generated = files
            .iter()
            .map(|file| write::write_if_changed(&out_dir, &file.name, &file.text))
            .collect::<Result<_, _>>()?;
        if self.checked_in {
            write::remove_stale(&out_dir, &files)?;
        } else {
            write::remove_left_over(&out_dir, &self.path, &files)?;
        }
        Ok(Compiled {
            generated,
            inputs: self.inputs(&loaded.sources),
            left_out: loaded.model.left_out(),
        })
    }

    /// Compares what is checked in with what the contracts say, without writing anything.
    ///
    /// # Errors
    ///
    /// All faults found in the contracts.
    pub fn check(&self) -> Result<Vec<Difference>, Error> {
        let out_dir = self.resolve_out_dir()?;
        let (_, model) = self.load()?;
        Ok(write::differences(&out_dir, &self.render(&model)))
    }

    /// What is in Cargo's own folder is nobody's to edit, so it needs no sum; making one is a good part
    /// of the time of a build script that is not optimised.
    fn render(&self, model: &Model) -> Vec<render::Rendered> {
        render::render(model, self.out_dir.is_some())
    }

    /// The contracts as they are to be rendered, exported or compared.
    fn load(&self) -> Result<(Sources, Model), Error> {
        let sources = load::load(&self.path, &self.includes)?;
        let model = model::build(&sources)?;
        let refused = if self.skip_unsupported {
            Vec::new()
        } else {
            model.unsupported.clone()
        };
        check::check(&model, refused)?;
        Ok((sources, model))
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

    fn inputs(&self, sources: &Sources) -> Vec<PathBuf> {
        let files = sources.files.iter().filter_map(|file| file.path.as_deref());
        let schemas = sources.schemas.iter().map(|file| file.path.as_path());
        let mut inputs: Vec<_> = files.chain(schemas).map(Path::to_path_buf).collect();
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

fn directives(kind: &str, faults: &[Fault]) -> Vec<String> {
    let line = |fault: &Fault| format!("cargo::{kind}={fault}");
    faults.iter().map(line).collect()
}
