//! Where `bridge` comes from, and whether the application can use it.
//!
//! Invariant: a folder is written into a manifest the way it was given: relative stays relative.

use std::fs;
use std::path::{Path, PathBuf};

use crate::args::Adopt;
use crate::failure::Failure;

use super::manifest;
use super::workspace::Workspace;

/// axum is of the version that bridge is made for.
pub(super) fn is_axum_right(workspace: &Workspace) -> Result<(), Failure> {
    let Ok(lock) = fs::read_to_string(workspace.root.join("Cargo.lock")) else {
        // Nothing was built yet; the compiler will say.
        return Ok(());
    };
    let versions: Vec<&str> = lock
        .split("[[package]]")
        .filter(|it| it.contains("\nname = \"axum\"\n"))
        .filter_map(|it| it.split("\nversion = \"").nth(1)?.split('"').next())
        .collect();
    if versions.is_empty() || versions.iter().any(|it| it.starts_with("0.8.")) {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "the workspace has axum {}, and bridge is made for axum 0.8: update it first",
        versions.join(", ")
    )))
}

/// Where `bridge` is taken from.
pub(super) enum Bridge {
    /// A folder: as it was given, and whole.
    Folder(PathBuf, PathBuf),
    /// As the workspace says.
    Inherited(String),
    /// Nothing says where.
    Unknown,
}

impl Bridge {
    pub(super) fn of(asked: &Adopt, workspace: &Workspace) -> Result<Self, Failure> {
        let Some(given) = &asked.bridge_path else {
            let text = fs::read_to_string(workspace.root.join("Cargo.toml")).unwrap_or_default();
            return Ok(manifest::inherited(&text).map_or(Self::Unknown, Self::Inherited));
        };
        let whole = given.canonicalize().ok();
        match whole.filter(|it| it.join("Cargo.toml").is_file()) {
            Some(whole) => Ok(Self::Folder(given.clone(), whole)),
            None => Err(Failure::usage(format!(
                "{}: no package is there",
                given.display()
            ))),
        }
    }

    /// Right wherever it is read from.
    pub(super) fn anywhere(&self) -> Result<String, String> {
        match self {
            Self::Folder(_, whole) => Ok(manifest::from_folder(whole)),
            Self::Inherited(text) => Ok(text.clone()),
            Self::Unknown => Err(
                "does not depend on `bridge`, and nothing says where that is: name its folder with \
                 --bridge-path, or add it to `[workspace.dependencies]`"
                    .to_owned(),
            ),
        }
    }

    /// As the manifest in `folder` says it: the way it was given.
    pub(super) fn from(&self, folder: &Path) -> Result<String, String> {
        let Self::Folder(given, whole) = self else {
            return self.anywhere();
        };
        if given.is_absolute() {
            return self.anywhere();
        }
        let shared = whole.components().zip(folder.components());
        let shared = shared.take_while(|(a, b)| a == b).count();
        let up = folder
            .components()
            .skip(shared)
            .map(|_| Path::new("..").to_path_buf());
        let down = whole.components().skip(shared);
        let path = up.collect::<PathBuf>().join(down.collect::<PathBuf>());
        Ok(manifest::from_folder(&path))
    }
}
