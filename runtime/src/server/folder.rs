//! The data folder: made for its owner alone, locked by one runtime at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use tokio::net::UnixListener;

use crate::backup::is_unfinished;
use crate::operator::SOCKET_FILE;

const LOCK_FILE: &str = "bridge.lock";
/// Holds the address that the open doors are bound to, while the runtime runs.
const DOORS_FILE: &str = "doors.addr";
/// Longest content of it that is read, in bytes: more is no address.
const DOORS_BYTES_MAX: u64 = 128;

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be made or opened.
    #[error("cannot use the data folder {path}")]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another runtime holds it.
    #[error(
        "the data folder {path} is in use by another runtime{pid}; stop that one, or name another folder with --data"
    )]
    Locked {
        /// Which.
        path: PathBuf,
        /// ` (process N)`, when known.
        pid: String,
    },
    /// What is in it is part of a backup at most.
    #[error(
        "a restore into the data folder {path} did not finish; remove the folder and run `bridge restore` again"
    )]
    Unfinished {
        /// Which.
        path: PathBuf,
    },
}

/// A locked data folder. The lock ends with the process at the latest.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    pub(super) fn open(path: &Path) -> Result<Self, FolderError> {
        let unusable = |source| FolderError::Unusable {
            path: path.to_owned(),
            source,
        };
        if !path.exists() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(unusable)?;
        }
        let path = fs::canonicalize(path).map_err(unusable)?;
        let lock_path = path.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let mut lock = options.open(&lock_path).map_err(unusable)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut pid = String::new();
            // Who holds it is a courtesy; without it the message still says what to do.
            let _ = lock.read_to_string(&mut pid);
            let pid = pid.trim();
            let pid = if pid.is_empty() {
                String::new()
            } else {
                format!(" (process {pid})")
            };
            return Err(FolderError::Locked { path, pid });
        }
        if is_unfinished(&path) {
            return Err(FolderError::Unfinished { path });
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .map_err(unusable)?;
        write!(lock, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes where the open doors are, for whoever asks for health on this machine.
    pub(super) fn note_doors(&self, address: SocketAddr) -> Result<(), FolderError> {
        let path = self.path.join(DOORS_FILE);
        fs::write(&path, format!("{address}\n"))
            .map_err(|source| FolderError::Unusable { path, source })
    }

    /// Removes what says where to ask, and lets go of the lock.
    pub(super) fn close(self) {
        // Whoever finds a stale socket is told that nobody answers; that is no worse.
        let _ = fs::remove_file(self.path.join(SOCKET_FILE));
        let _ = fs::remove_file(self.path.join(DOORS_FILE));
    }
}

/// Where the open doors of the runtime on this data folder are; `None` when it does not run, or its
/// folder is somebody else's.
pub(crate) fn doors(path: &Path) -> Option<SocketAddr> {
    let mut text = String::new();
    let file = File::open(path.join(DOORS_FILE)).ok()?;
    file.take(DOORS_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Binds the operator's socket for its owner alone. A stale one is replaced: the lock proves that
/// nobody serves it.
pub(super) fn bind_socket(path: &Path) -> std::io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_runtime_is_told_who_holds_the_folder() {
        let folder = tempfile::tempdir().expect("folder");
        let data = folder.path().join("new/data");
        let first = DataFolder::open(&data).expect("first");
        let mode = fs::metadata(&data).expect("made").permissions().mode() & 0o777;
        assert_eq!(mode, 0o700);
        let second = DataFolder::open(&data).expect_err("refused").to_string();
        assert!(
            second.contains(&format!("process {}", std::process::id())),
            "{second}"
        );
        first.close();
        DataFolder::open(&data).expect("free again");
    }

    #[test]
    fn the_address_of_the_doors_is_there_while_the_runtime_runs() {
        let folder = tempfile::tempdir().expect("folder");
        assert_eq!(doors(folder.path()), None);
        let data = DataFolder::open(folder.path()).expect("opens");
        let address = "127.0.0.1:19446".parse().expect("an address");
        data.note_doors(address).expect("notes");
        assert_eq!(doors(folder.path()), Some(address));
        data.close();
        assert_eq!(doors(folder.path()), None);
        fs::write(folder.path().join(DOORS_FILE), "x".repeat(4_096)).expect("writes");
        assert_eq!(doors(folder.path()), None, "no address");
    }

    #[test]
    fn a_folder_whose_restore_did_not_finish_starts_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let mark = folder.path().join(crate::backup::MARK_FILE);
        fs::write(&mark, "").expect("marks");
        let refused = DataFolder::open(folder.path())
            .expect_err("refused")
            .to_string();
        assert!(refused.contains("did not finish"), "{refused}");
        fs::remove_file(mark).expect("unmarks");
        DataFolder::open(folder.path()).expect("opens");
    }
}
