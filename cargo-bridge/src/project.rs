//! The package: where its contracts, its generated code and its lock are.
//!
//! Read from `[package.metadata.bridge]`, with a default for everything. An unknown key there is
//! refused, since a misspelt one would silently mean the default.
//!
//! Invariant: paths are relative to where the command was called whenever they can be, so that
//! `file:line` in messages can be followed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bridge_codegen::Loaded;
use bridge_codegen::export::{About, Event};
use serde::Deserialize;

use crate::args::{Common, Document};
use crate::failure::Failure;

/// A package with contracts.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) manifest: PathBuf,
    pub(crate) contracts: PathBuf,
    pub(crate) includes: Vec<PathBuf>,
    /// Where generated code is checked in.
    pub(crate) generated: PathBuf,
    /// Whether it is: the package says so, or it is there.
    pub(crate) is_checked_in: bool,
    pub(crate) lock: PathBuf,
    pub(crate) events: Vec<Event>,
    name: String,
    version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Metadata {
    contracts: Option<PathBuf>,
    include: Vec<PathBuf>,
    r#gen: Option<PathBuf>,
    lock: Option<PathBuf>,
    events: BTreeMap<String, String>,
}

impl Project {
    /// The package of `--manifest-path`, or the nearest one.
    pub(crate) fn find(common: &Common) -> Result<Self, Failure> {
        let manifest = manifest(common.manifest_path.as_deref())?;
        let table = read(&manifest)?;
        let Some(package) = table.get("package").and_then(toml::Value::as_table) else {
            return Err(Failure::usage(format!(
                "{}: is a workspace without a package: go to a package, or say which with \
                 --manifest-path",
                manifest.display()
            )));
        };
        let metadata = package.get("metadata").and_then(|it| it.get("bridge"));
        let metadata = match metadata.cloned() {
            Some(metadata) => metadata.try_into::<Metadata>().map_err(|error| {
                let text = error.to_string();
                let text = text.trim_end().replace('\n', " ");
                Failure::usage(format!(
                    "{}: package.metadata.bridge: {text}",
                    manifest.display()
                ))
            })?,
            None => Metadata::default(),
        };
        let folder = manifest.parent().unwrap_or(Path::new("")).to_path_buf();
        let inside = |path: Option<PathBuf>, default: &str| {
            folder.join(path.unwrap_or_else(|| PathBuf::from(default)))
        };
        let includes = match common.includes.as_slice() {
            [] => metadata.include.iter().map(|it| folder.join(it)).collect(),
            given => given.to_vec(),
        };
        let says_where = metadata.r#gen.is_some();
        let generated = inside(metadata.r#gen, "src/gen");
        let event = |(address, message)| Event { address, message };
        Ok(Self {
            contracts: match &common.contracts {
                Some(given) => given.clone(),
                None => inside(metadata.contracts, "contracts"),
            },
            includes,
            is_checked_in: says_where || generated.join("mod.rs").exists(),
            generated,
            lock: inside(metadata.lock, "bridge.lock"),
            events: metadata.events.into_iter().map(event).collect(),
            name: text(package, "name").unwrap_or_default(),
            version: text(package, "version")
                .or_else(|| inherited_version(&folder))
                .unwrap_or_else(|| "0.0.0".to_owned()),
            manifest,
        })
    }

    /// What to compile.
    pub(crate) fn compilation(&self) -> Result<bridge_codegen::Contracts, Failure> {
        if !self.contracts.exists() {
            return Err(Failure::usage(format!(
                "{}: no contracts here: make the folder, or name another one in {} \
                 (`[package.metadata.bridge]`, `contracts = \"…\"`)",
                self.contracts.display(),
                self.manifest.display()
            )));
        }
        let all = bridge_codegen::contracts(&self.contracts);
        Ok(self
            .includes
            .iter()
            .fold(all, |all, include| all.include(include)))
    }

    /// The contracts.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        Ok(self.compilation()?.read()?)
    }

    /// What a document says about itself.
    pub(crate) fn about(&self, document: &Document) -> About {
        About {
            title: document.title.clone().unwrap_or_else(|| self.name.clone()),
            version: document
                .api_version
                .clone()
                .unwrap_or_else(|| self.version.clone()),
        }
    }
}

fn manifest(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(given) = given {
        return if given.is_file() {
            Ok(given.to_path_buf())
        } else {
            Err(Failure::usage(format!(
                "{}: no such Cargo.toml",
                given.display()
            )))
        };
    }
    let here = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("cannot tell the current folder: {error}")))?;
    let found = here
        .ancestors()
        .map(|it| it.join("Cargo.toml"))
        .find(|it| it.is_file());
    let found = found.ok_or_else(|| {
        Failure::usage("no Cargo.toml here or above: go to a package, or give --manifest-path")
    })?;
    Ok(found
        .strip_prefix(&here)
        .map(Path::to_path_buf)
        .unwrap_or(found))
}

fn read(manifest: &Path) -> Result<toml::Table, Failure> {
    let text = fs::read_to_string(manifest).map_err(|error| {
        Failure::usage(format!("{}: cannot read ({error})", manifest.display()))
    })?;
    text.parse::<toml::Table>().map_err(|error| {
        let text = error.to_string();
        Failure::usage(format!("{}: {}", manifest.display(), text.trim_end()))
    })
}

fn text(table: &toml::Table, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}

/// `version.workspace = true`: the version of the workspace around.
fn inherited_version(folder: &Path) -> Option<String> {
    let folder = fs::canonicalize(if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    });
    let folder = folder.ok()?;
    let mut workspaces = folder
        .ancestors()
        .filter_map(|it| read(&it.join("Cargo.toml")).ok())
        .filter_map(|table| table.get("workspace")?.as_table().cloned());
    let package = workspaces.next()?;
    text(package.get("package")?.as_table()?, "version")
}
