//! The mark on a data folder that a restore is filling: while it is there, no runtime starts.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::error::{BackupError, file};

/// Name of the file that marks a folder.
pub const MARK_FILE: &str = "restore.unfinished";

/// What every ext4 file system has at its top, and nobody else removes.
const LOST_AND_FOUND: &str = "lost+found";

/// Whether a restore into the folder was begun and not finished.
pub fn is_unfinished(data: &Path) -> bool {
    data.join(MARK_FILE).exists()
}

/// Makes the folder if need be, makes sure that it is empty, and marks it.
pub(super) fn set(data: &Path) -> Result<(), BackupError> {
    if is_unfinished(data) {
        return Err(BackupError::Unfinished {
            path: data.to_owned(),
        });
    }
    check_empty(data, None)?;
    if !data.exists() {
        let mut builder = fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(data);
        made.map_err(file("create", data))?;
    }
    let path = data.join(MARK_FILE);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mark = options.open(&path).map_err(file("create", &path))?;
    mark.sync_all().map_err(file("write", &path))?;
    sync(data)?;
    // A runtime may have been faster: then its files are here, and it will not look again.
    if let Err(error) = check_empty(data, Some(MARK_FILE)) {
        fs::remove_file(&path).map_err(file("remove", &path))?;
        return Err(error);
    }
    Ok(())
}

/// Removes the mark: from here on the folder is a data folder.
pub(super) fn clear(data: &Path) -> Result<(), BackupError> {
    sync(data)?;
    let path = data.join(MARK_FILE);
    fs::remove_file(&path).map_err(file("remove", &path))?;
    sync(data)
}

/// Removes what a failed restore left, the mark last; what [`set`] takes for empty stays.
pub(super) fn wipe(data: &Path) -> Result<(), BackupError> {
    for entry in fs::read_dir(data).map_err(file("read", data))? {
        let path = entry.map_err(file("read", data))?.path();
        let name = path.file_name().unwrap_or_default();
        if name == MARK_FILE || name == LOST_AND_FOUND {
            continue;
        }
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            // SQLite, which closes its files in the background, removes some of them itself.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            removed => removed.map_err(file("remove", &path))?,
        }
    }
    clear(data)
}

fn check_empty(data: &Path, but: Option<&str>) -> Result<(), BackupError> {
    let entries = match fs::read_dir(data) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(file("read", data))?,
    };
    for entry in entries {
        let name = entry.map_err(file("read", data))?.file_name();
        if but.is_some_and(|it| name == it) || name == LOST_AND_FOUND {
            continue;
        }
        return Err(BackupError::NotEmpty {
            path: data.to_owned(),
            found: name.to_string_lossy().into_owned(),
        });
    }
    Ok(())
}

fn sync(folder: &Path) -> Result<(), BackupError> {
    let synced = File::open(folder).and_then(|it| it.sync_all());
    synced.map_err(file("sync", folder))
}
