//! The workspace as Cargo sees it: packages, what they build, and what they depend on.
//!
//! Asks `cargo metadata` instead of reading manifests, so that inherited and renamed things are
//! right. Refuses to choose between two programs.
//!
//! Invariant: paths are absolute.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::args::{Adopt, Common};
use crate::failure::Failure;

/// A workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Workspace {
    pub(super) packages: Vec<Package>,
    #[serde(rename = "workspace_root")]
    pub(super) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(super) target: PathBuf,
    /// Where artifacts in between go, if Cargo tells them apart.
    #[serde(rename = "build_directory")]
    pub(super) build: Option<PathBuf>,
}

/// A member.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    #[serde(rename = "manifest_path")]
    pub(super) manifest: PathBuf,
    pub(super) targets: Vec<Target>,
    pub(super) dependencies: Vec<Dependency>,
    default_run: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Target {
    pub(super) name: String,
    kind: Vec<String>,
    pub(super) src_path: PathBuf,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    name: String,
    rename: Option<String>,
    /// `dev` or `build`, where it is one.
    kind: Option<String>,
    path: Option<PathBuf>,
}

impl Workspace {
    /// The workspace around `--manifest-path`, or around here.
    pub(super) fn read(common: &Common) -> Result<Self, Failure> {
        let mut cargo = Command::new(cargo());
        cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
        if let Some(manifest) = &common.manifest_path {
            cargo.arg("--manifest-path").arg(manifest);
        }
        let output = cargo
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Failure::usage(format!("cargo cannot be started: {error}")))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::usage(format!("cargo metadata: {}", text.trim())));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::refused(format!("cargo metadata is not understood: {error}")))
    }

    /// The package that was asked for: by name, by its manifest, or the only one with a program.
    pub(super) fn chosen(&self, common: &Common, wanted: &Adopt) -> Result<usize, Failure> {
        let at = |matches: &dyn Fn(&Package) -> bool| self.packages.iter().position(matches);
        if let Some(name) = &wanted.package {
            return at(&|it| it.name == *name).ok_or_else(|| {
                let known = self.packages.iter().map(|it| it.name.as_str());
                let known = known.collect::<Vec<_>>().join(", ");
                Failure::usage(format!("no package `{name}` here; there are {known}"))
            });
        }
        let here = match &common.manifest_path {
            Some(given) => given.canonicalize().ok(),
            None => nearest_manifest(),
        };
        if let Some(found) = here.and_then(|here| at(&|it| it.manifest == here)) {
            return Ok(found);
        }
        let with_program = |it: &&Package| it.programs().next().is_some();
        let mut candidates = self.packages.iter().filter(with_program);
        match (candidates.next(), candidates.next()) {
            (Some(only), None) => Ok(at(&|it| it.name == only.name).unwrap_or_default()),
            (None, _) => Err(Failure::usage("no package here builds a program")),
            _ => {
                let names = self.packages.iter().filter(with_program);
                let names = names.map(|it| it.name.as_str()).collect::<Vec<_>>();
                let names = names.join(", ");
                Err(Failure::usage(format!(
                    "say which package, with --package: {names}"
                )))
            }
        }
    }

    /// The member with this library, as code calls it.
    pub(super) fn library(&self, name: &str) -> Option<usize> {
        let mut packages = self.packages.iter();
        packages.position(|it| it.library().is_some_and(|it| it.crate_name() == name))
    }

    /// Whether a file is in the workspace's own folders: below its root, and not by way of a link.
    pub(super) fn holds(&self, path: &Path) -> bool {
        let (Ok(inside), Some(folder)) = (path.strip_prefix(&self.root), path.parent()) else {
            return false;
        };
        let mut here = self.root.clone();
        let is_linked = inside
            .parent()
            .into_iter()
            .flat_map(Path::components)
            .any(|it| {
                here.push(it);
                here.is_symlink()
            });
        let is_below = || {
            Some(
                folder
                    .canonicalize()
                    .ok()?
                    .starts_with(self.root.canonicalize().ok()?),
            )
        };
        !is_linked && is_below().unwrap_or(false)
    }

    /// `path` as it is shown.
    pub(super) fn shown(&self, path: &Path) -> String {
        named_from(&self.root, path)
    }
}

/// The current folder, if all `paths` are in it: `git apply` looks for files from where it is run, and
/// takes no name with `..`.
pub(super) fn here_if_all<'p>(mut paths: impl Iterator<Item = &'p PathBuf>) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    paths.all(|it| it.starts_with(&here)).then_some(here)
}

/// `path` in `folder`, with slashes.
pub(super) fn named_from(folder: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    inside.display().to_string().replace('\\', "/")
}

impl Package {
    pub(super) fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("/"))
    }

    pub(super) fn library(&self) -> Option<&Target> {
        let is_library = |it: &str| matches!(it, "lib" | "rlib" | "dylib");
        let mut targets = self.targets.iter();
        targets.find(|it| it.kind.iter().any(|kind| is_library(kind)))
    }

    fn programs(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|it| it.is_program())
    }

    /// The program that was asked for; nothing where the package has none.
    pub(super) fn program(&self, wanted: Option<&str>) -> Result<Option<&Target>, Failure> {
        let all: Vec<&Target> = self.programs().collect();
        let names = || {
            let names: Vec<_> = all.iter().map(|it| it.name.as_str()).collect();
            names.join(", ")
        };
        if let Some(name) = wanted.or(self.default_run.as_deref()) {
            let found = all.iter().find(|it| it.name == name).copied();
            return found.map(Some).ok_or_else(|| {
                let (package, names) = (&self.name, names());
                Failure::usage(format!(
                    "package `{package}` has no program `{name}`; it has {names}"
                ))
            });
        }
        match all.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            _ => Err(Failure::usage(format!(
                "package `{}` has several programs, say which with --bin: {}",
                self.name,
                names()
            ))),
        }
    }

    /// Whether its code may name the crate `name`.
    pub(super) fn may_name(&self, name: &str) -> bool {
        self.normal().any(|it| it.crate_name() == name)
    }

    fn normal(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|it| it.kind.is_none())
    }

    /// Libraries of the workspace that it takes, as code calls them.
    pub(super) fn local_names(&self) -> impl Iterator<Item = String> {
        let local = self.normal().filter(|it| it.path.is_some());
        local.map(Dependency::crate_name)
    }
}

impl Target {
    pub(super) fn is_program(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bin")
    }

    /// As code calls it.
    pub(super) fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }
}

impl Dependency {
    fn crate_name(&self) -> String {
        let name = self.rename.as_ref().unwrap_or(&self.name);
        name.replace('-', "_")
    }
}

/// The cargo that called us, or the one on the path.
pub(super) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn nearest_manifest() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?.canonicalize().ok()?;
    let mut manifests = here.ancestors().map(|it| it.join("Cargo.toml"));
    manifests.find(|it| it.is_file())
}
