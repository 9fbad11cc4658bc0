//! The certificate authority in a backup: two files of the data folder, if they are the ones in use.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::error::{BackupError, file};

/// File and permissions: the key first, as the authority itself writes them.
const FILES: [(&str, u32); 2] = [("ca.key", 0o600), ("ca.pem", 0o644)];

/// Where the authority's files are.
#[derive(Clone, Debug)]
pub struct AuthorityFiles {
    folder: PathBuf,
}

impl AuthorityFiles {
    /// Those in `data`, if they are the authority whose certificate is `ca_der`; `None` when the
    /// operator brought another one.
    pub fn in_use(data: &Path, ca_der: &[u8]) -> Option<Self> {
        let pem = std::fs::read(data.join("ca.pem")).ok()?;
        let der = CertificateDer::from_pem_slice(&pem).ok()?;
        (*der == *ca_der).then(|| Self {
            folder: data.to_owned(),
        })
    }

    /// Name and content of each.
    pub(super) fn read(&self) -> Result<Vec<(&'static str, Vec<u8>)>, BackupError> {
        let read = |(name, _)| {
            let path = self.folder.join(name);
            let content = std::fs::read(&path).map_err(file("read", &path))?;
            Ok((name, content))
        };
        FILES.into_iter().map(read).collect()
    }
}

/// Whether a backup may hold a file of this name.
pub(super) fn is_known(name: &str) -> bool {
    FILES.iter().any(|it| it.0 == name)
}

/// Writes one of the files into a data folder that has none, for its owner alone.
pub(super) fn write(data: &Path, name: &str, content: &[u8]) -> Result<(), BackupError> {
    let mode = FILES
        .iter()
        .find(|it| it.0 == name)
        .map_or(0o600, |it| it.1);
    let path = data.join(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let mut out = options.open(&path).map_err(file("create", &path))?;
    let written = out.write_all(content).and_then(|()| out.sync_all());
    written.map_err(file("write", &path))
}
