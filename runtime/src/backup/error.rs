//! What can go wrong with a backup, each as a sentence that names the part and says what to do.

use std::path::{Path, PathBuf};

use crate::db::DbError;

/// Why a backup cannot be taken, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder cannot be used.
    #[error("cannot {action} {path}")]
    File {
        /// Completes the sentence.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is some other file.
    #[error("{path} is no backup of bridge")]
    NotABackup {
        /// Which.
        path: PathBuf,
    },
    /// It was written by a newer bridge.
    #[error(
        "{path} has the format {found} and this binary reads up to {known}; use the bridge binary that took it, or a newer one"
    )]
    NewerFormat {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: String,
        /// The newest format known here.
        known: u32,
    },
    /// It ends too early.
    #[error(
        "{path} is incomplete: it ends inside {part}, after {at} bytes; it was not written to its end, take another backup"
    )]
    CutOff {
        /// Which.
        path: PathBuf,
        /// The part it ends in.
        part: String,
        /// Its size in bytes.
        at: u64,
    },
    /// Its bytes are not those that were written.
    #[error("{path} is damaged in {part}, around byte {at}; use another copy or another backup")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// The part that is damaged.
        part: String,
        /// Where the damaged frame begins, in bytes.
        at: u64,
    },
    /// The runtime gave up while it took it.
    #[error("{path} is incomplete: the runtime gave up with \"{why}\"; take another backup")]
    GivenUp {
        /// Which.
        path: PathBuf,
        /// What the runtime said.
        why: String,
    },
    /// The runtime gave up while it took it, and the file says why if it could.
    #[error("the backup was given up before its end")]
    NotEnded,
    /// A restore needs an empty place.
    #[error(
        "{path} is not empty ({found}); a restore fills an empty folder only, name another with --data"
    )]
    NotEmpty {
        /// Which.
        path: PathBuf,
        /// Something that is there.
        found: String,
    },
    /// An earlier restore was interrupted.
    #[error(
        "an earlier restore into {path} did not finish; remove the folder and restore again, nothing in it is complete"
    )]
    Unfinished {
        /// Which.
        path: PathBuf,
    },
    /// Another backup is being taken.
    #[error("another backup is being taken; wait for its end")]
    Busy,
    /// The store cannot be read or filled.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Gives an error its file.
pub(super) fn file(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File {
        action,
        path,
        source,
    }
}
