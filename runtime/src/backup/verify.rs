//! Reading a backup to its last byte without a runtime: is everything there, and as it was written?

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::archive::{Frame, Reader};
use super::authority;
use super::error::{BackupError, file};
use super::manifest::{Authority, Contents, Header, TableCount, TableHead};
use crate::db::bulk::decode_rows;

/// Bytes read from the file at once.
const READ_BYTES: usize = 256 * 1024;

/// A backup that is whole.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) path: PathBuf,
    pub(super) header: Header,
    /// What it holds.
    pub contents: Contents,
    /// Its size.
    pub bytes: u64,
}

impl Verified {
    /// Version of the runtime that took it.
    pub fn bridge(&self) -> &str {
        &self.header.bridge
    }

    /// `sqlite` or `postgres`: what it was taken from.
    pub fn database(&self) -> &str {
        &self.header.database
    }

    /// Everything acknowledged before this is inside, unix milliseconds.
    pub fn taken_at_unix_ms(&self) -> i64 {
        self.header.taken_at_unix_ms
    }

    /// Whether telemetry is inside.
    pub fn telemetry(&self) -> bool {
        self.header.telemetry
    }

    /// Whether the certificate authority is inside.
    pub fn authority(&self) -> Authority {
        self.header.authority
    }

    /// Newest migration of the ledger.
    pub fn schema(&self) -> &str {
        self.header.schemas.get("ledger").map_or("", String::as_str)
    }
}

/// Opens a backup at its first frame.
pub(super) fn open(path: &Path) -> Result<Reader<BufReader<File>>, BackupError> {
    let input = File::open(path).map_err(file("open", path))?;
    Reader::begin(BufReader::with_capacity(READ_BYTES, input), path)
}

/// Reads the backup at `path` and checks all of it. Blocks for as long as the disk takes.
///
/// # Errors
///
/// [`BackupError`] names the part that is missing or damaged.
pub fn verify(path: &Path) -> Result<Verified, BackupError> {
    let mut reader = open(path)?;
    let header = match reader.next()? {
        Some(Frame::Header(header)) => header,
        _ => return Err(reader.damaged()),
    };
    let (mut found, mut table) = (Contents::default(), None::<TableHead>);
    loop {
        match reader.next()? {
            Some(Frame::File(name, _)) if authority::is_known(&name) => found.files.push(name),
            Some(Frame::Table(head)) => {
                found.tables.push(TableCount {
                    place: head.place.to_string(),
                    table: head.table.clone(),
                    rows: 0,
                    bytes: 0,
                });
                table = Some(head);
            }
            Some(Frame::Rows(bytes)) => {
                let (Some(head), Some(count)) = (&table, found.tables.last_mut()) else {
                    return Err(reader.damaged());
                };
                let rows = decode_rows(&bytes, head.columns.len());
                let rows = rows.ok_or_else(|| reader.damaged())?;
                count.rows += rows.len() as u64;
                count.bytes += bytes.len() as u64;
            }
            Some(Frame::End(told)) if told == found => break,
            _ => return Err(reader.damaged()),
        }
    }
    match reader.next()? {
        None => Ok(Verified {
            path: path.to_owned(),
            header,
            contents: found,
            bytes: reader.at(),
        }),
        Some(_) => Err(reader.damaged()),
    }
}
