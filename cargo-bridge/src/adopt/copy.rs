//! A copy of the workspace below the target folder, to build and run what is proposed.
//!
//! Artifacts in between are shared with the workspace's own builds, final ones are not, so that
//! nothing a user runs is replaced. What is outside of the workspace is used where it is.
//!
//! Invariant: nothing is written outside of the folder of the copy; it is removed at the end.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;

use super::edit::{Edit, applied};
use super::manifest;
use super::patch::Patch;
use super::workspace::{Workspace, cargo};

/// Bytes that are copied at most.
const BYTES_MAX: u64 = 4 << 30;
/// Folders that no build reads.
const LEFT_OUT: [&str; 2] = [".git", "node_modules"];
/// What Cargo puts into its target folders.
const CACHE: &str = "CACHEDIR.TAG";

/// The copy.
pub(super) struct Copy<'w> {
    workspace: &'w Workspace,
    /// Everything of this run.
    folder: PathBuf,
    pub(super) root: PathBuf,
    bytes: u64,
    /// Files that may differ from those of the workspace.
    edited: RefCell<BTreeSet<PathBuf>>,
    /// Nobody else works in the folder while this is open.
    _lock: fs::File,
}

impl<'w> Copy<'w> {
    /// Copies the workspace.
    pub(super) fn of(workspace: &'w Workspace) -> Result<Self, Failure> {
        let all = workspace.target.join("bridge-adopt");
        let folder = all.join(name_of(&workspace.root));
        let lock = lock(&all, &folder.with_extension("lock"))?;
        let mut copy = Self {
            workspace,
            root: folder.join("copy"),
            folder,
            bytes: 0,
            edited: RefCell::default(),
            _lock: lock,
        };
        copy.remove_root();
        let (from, to) = (workspace.root.clone(), copy.root.clone());
        copy.folder_of(&from, &to)
            .map_err(|text| Failure::refused(format!("the workspace cannot be copied: {text}")))?;
        Ok(copy)
    }

    fn folder_of(&mut self, from: &Path, to: &Path) -> Result<(), String> {
        let cannot = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(to).map_err(|error| cannot(to, error))?;
        for entry in fs::read_dir(from).map_err(|error| cannot(from, error))? {
            let entry = entry.map_err(|error| cannot(from, error))?;
            let (path, name) = (entry.path(), entry.file_name());
            let is_left_out = LEFT_OUT.iter().any(|it| name == *it);
            if is_left_out || path == self.workspace.target || path.join(CACHE).is_file() {
                continue;
            }
            let to = to.join(&name);
            let Ok(about) = fs::metadata(&path) else {
                // A link to nowhere.
                continue;
            };
            let is_link = entry.file_type().is_ok_and(|it| it.is_symlink());
            if about.is_dir() && is_link {
                // It may lead back up, so it is no part of the copy.
                linked(&path, &to).map_err(|error| cannot(&path, error))?;
            } else if about.is_dir() {
                self.folder_of(&path, &to)?;
            } else if about.is_file() {
                self.bytes += about.len();
                if self.bytes > BYTES_MAX {
                    return Err(format!(
                        "it has more than {} GiB; --no-verify needs no copy",
                        BYTES_MAX >> 30
                    ));
                }
                self.file(&path, &to)
                    .map_err(|error| cannot(&path, error))?;
            }
        }
        Ok(())
    }

    fn file(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        if is_manifest(from) {
            return fs::write(to, self.adjusted(from, fs::read_to_string(from)?));
        }
        fs::copy(from, to).map(|_| ())
    }

    /// What a file is in the copy.
    fn adjusted(&self, path: &Path, text: String) -> String {
        if !is_manifest(path) {
            return text;
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        let root = &self.workspace.root;
        let text = manifest::with_whole_paths(&text, folder, root);
        manifest::without_outer_members(&text, folder, root)
    }

    /// Where a file of the workspace is in the copy; what is outside of the workspace is nowhere.
    pub(super) fn of_file(&self, path: &Path) -> Option<PathBuf> {
        let inside = path.strip_prefix(&self.workspace.root).ok()?;
        Some(self.root.join(inside))
    }

    /// Where a file of the copy is written: not through a link, which leads to what is the user's.
    fn written(&self, path: &Path) -> std::io::Result<PathBuf> {
        let outside = || std::io::Error::other("is not in the copy of the workspace");
        let to = self.of_file(path).ok_or_else(outside)?;
        let folder = to.parent().ok_or_else(outside)?.canonicalize()?;
        let is_inside = folder.starts_with(self.root.canonicalize()?) && !to.is_symlink();
        is_inside.then_some(to).ok_or_else(outside)
    }

    /// Makes the files of the copy what they are in the workspace, but for the edits of `patch`.
    pub(super) fn set(&self, patch: &Patch) -> Result<(), Failure> {
        let edits = patch.edits.iter();
        let edits = edits.map(|(path, edits)| (path.clone(), edits.as_slice()));
        let mut all: BTreeMap<PathBuf, &[Edit]> = edits.collect();
        let mut edited = self.edited.borrow_mut();
        for path in edited.iter() {
            all.entry(path.clone()).or_default();
        }
        for (path, edits) in all {
            let text = fs::read_to_string(&path)
                .map(|text| self.adjusted(&path, applied(&text, edits)))
                .and_then(|text| fs::write(self.written(&path)?, text));
            text.map_err(|error| Failure::refused(format!("{}: {error}", path.display())))?;
            edited.insert(path);
        }
        Ok(())
    }

    /// A command in the copy, at the place that corresponds to where we are.
    pub(super) fn placed(&self, mut command: Command) -> Command {
        let here = std::env::current_dir().ok();
        let here = here.and_then(|it| it.canonicalize().ok());
        let here = here.and_then(|it| self.of_file(&it));
        let here = here.filter(|it| it.is_dir());
        command.current_dir(here.unwrap_or_else(|| self.root.clone()));
        let shared = self
            .workspace
            .build
            .as_ref()
            .unwrap_or(&self.workspace.target);
        command
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env("CARGO_BUILD_BUILD_DIR", shared);
        command
    }

    /// `cargo WORDS` in the copy.
    pub(super) fn cargo(&self, words: &[String]) -> Command {
        let mut command = self.placed(Command::new(cargo()));
        command.args(words);
        command
    }

    fn remove_root(&self) {
        // What is not there need not be removed; what cannot be is found when it is written.
        let _ = fs::remove_dir_all(&self.root);
    }
}

impl Drop for Copy<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A name for the workspace that is the same at every run, so that builds can be used again.
fn name_of(root: &Path) -> String {
    let mut hash = DefaultHasher::new();
    root.hash(&mut hash);
    format!("{:016x}", hash.finish())
}

fn lock(folder: &Path, path: &Path) -> Result<fs::File, Failure> {
    let open = || {
        fs::create_dir_all(folder)?;
        fs::File::create(path)
    };
    let shown = path.display();
    let file = open().map_err(|error| Failure::refused(format!("{shown}: {error}")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Failure::refused(format!(
            "another `cargo bridge adopt` works on this workspace ({shown}): wait for it"
        ))),
        Err(fs::TryLockError::Error(error)) => Err(Failure::refused(format!(
            "{shown}: cannot be locked ({error})"
        ))),
    }
}

fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it == "Cargo.toml")
}

/// A link to what `link` leads to.
#[cfg(unix)]
fn linked(link: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(link.canonicalize()?, to)
}

/// Links need rights of their own elsewhere.
#[cfg(not(unix))]
fn linked(_: &Path, _: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_through_a_link_or_outside_of_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for inner in ["ws/own", "real"] {
            fs::create_dir_all(root.join(inner)).unwrap();
            fs::write(root.join(inner).join("lib.rs"), "old").unwrap();
        }
        linked(&root.join("real"), &root.join("ws/link")).unwrap();
        let metadata = serde_json::json!({
            "packages": [], "workspace_root": root.join("ws"), "target_directory": root.join("target"),
        });
        let workspace: Workspace = serde_json::from_value(metadata).unwrap();
        let copy = Copy::of(&workspace).unwrap();
        for (file, is_written) in [
            ("ws/own/lib.rs", true),
            ("ws/link/lib.rs", false),
            ("ws/../real/lib.rs", false),
            ("real/lib.rs", false),
        ] {
            let mut patch = Patch::default();
            let edits = vec![Edit::insert(0, "new ")];
            patch.edits.insert(root.join(file), edits);
            assert_eq!(copy.set(&patch).is_ok(), is_written, "{file}");
            assert_eq!(workspace.holds(&root.join(file)), is_written, "{file}");
            assert_eq!(fs::read_to_string(root.join(file)).unwrap(), "old");
        }
    }
}
