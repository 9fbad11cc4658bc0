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
pub(super) struct Bridge {
    /// As given, and what it is.
    folder: Option<(PathBuf, PathBuf)>,
}

impl Bridge {
    pub(super) fn of(asked: &Adopt) -> Result<Self, Failure> {
        let folder = asked.bridge_path.as_ref().map(|given| {
            let whole = given.canonicalize();
            let whole = whole.ok().filter(|it| it.join("Cargo.toml").is_file());
            let whole = whole.ok_or_else(|| {
                Failure::usage(format!("{}: no package is there", given.display()))
            })?;
            Ok::<_, Failure>((given.clone(), whole))
        });
        Ok(Self {
            folder: folder.transpose()?,
        })
    }

    /// Right wherever it is read from.
    pub(super) fn anywhere(&self) -> String {
        manifest::requirement(self.folder.as_ref().map(|(_, whole)| whole.as_path()))
    }

    /// As the manifest in `folder` says it: the way it was given.
    pub(super) fn from(&self, folder: &Path) -> String {
        let relative = self
            .folder
            .as_ref()
            .filter(|(given, _)| given.is_relative());
        let Some((_, whole)) = relative else {
            return self.anywhere();
        };
        let shared = whole.components().zip(folder.components());
        let shared = shared.take_while(|(a, b)| a == b).count();
        let up = folder
            .components()
            .skip(shared)
            .map(|_| Path::new("..").to_path_buf());
        let down = whole.components().skip(shared);
        let path: PathBuf = up.collect::<PathBuf>().join(down.collect::<PathBuf>());
        manifest::requirement(Some(&path))
    }
}
