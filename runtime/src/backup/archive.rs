//! The file format: a line that says what it is, then frames.
//!
//! ```text
//!  "bridge backup 1\n"  ( kind 1 · length 4 · content · digest 32 )*
//! ```
//!
//! The digest of a frame is SHA-256 over the digest before it, kind, length and content (the first
//! starts from the line), so each covers everything up to it: a frame that is changed, missing or
//! out of place is found at once and by its own number. The last frame says how much there should be,
//! and nothing may follow it.
//!
//! Refuses frames longer than [`FRAME_BYTES_MAX`], so a damaged length costs no memory.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::{BackupError, file};
use super::manifest::{Contents, FORMAT, Header, TableHead};

/// Longest content of a frame, in bytes. One row is never cut apart.
const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How every backup begins, whatever its format.
const MAGIC: &str = "bridge backup ";
/// Bytes of the first line.
pub(super) const LINE_BYTES: usize = 16;
/// Bytes before the content of a frame: its kind and its length.
pub(super) const HEAD_BYTES: usize = 5;
/// Bytes after the content of a frame.
pub(super) const DIGEST_BYTES: usize = 32;

type Digest = [u8; DIGEST_BYTES];

/// Kinds of frames, as their first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum FrameKind {
    /// JSON of a [`Header`].
    Header = b'H',
    /// Name and content of a file.
    File = b'F',
    /// JSON of a [`TableHead`].
    Table = b'T',
    /// Rows of the table before it.
    Rows = b'R',
    /// JSON of [`Contents`].
    End = b'E',
    /// Why there is no end.
    GivenUp = b'X',
}

impl FrameKind {
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        let all = [
            Self::Header,
            Self::File,
            Self::Table,
            Self::Rows,
            Self::End,
            Self::GivenUp,
        ];
        all.into_iter().find(|it| *it as u8 == byte)
    }
}

fn first_line() -> [u8; LINE_BYTES] {
    let mut line = [b' '; LINE_BYTES];
    let text = format!("{MAGIC}{FORMAT}");
    line[..text.len()].copy_from_slice(text.as_bytes());
    line[LINE_BYTES - 1] = b'\n';
    line
}

fn digest(before: &Digest, head: &[u8], content: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(head);
    hasher.update(content);
    hasher.finalize().into()
}

/// Makes frames.
#[derive(Debug)]
pub(super) struct Writer {
    digest: Digest,
}

impl Writer {
    /// The writer, and how the file begins.
    pub(super) fn begin() -> (Self, Vec<u8>) {
        let line = first_line();
        let digest = digest(&[0; DIGEST_BYTES], &line, &[]);
        (Self { digest }, line.to_vec())
    }

    /// A frame, ready to be appended.
    pub(super) fn frame(&mut self, kind: FrameKind, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes();
        let head = [kind as u8, length[0], length[1], length[2], length[3]];
        self.digest = digest(&self.digest, &head, content);
        let mut frame = Vec::with_capacity(head.len() + content.len() + DIGEST_BYTES);
        frame.extend_from_slice(&head);
        frame.extend_from_slice(content);
        frame.extend_from_slice(&self.digest);
        frame
    }
}

/// What a frame holds.
#[derive(Debug)]
pub(super) enum Frame {
    /// What the backup is.
    Header(Header),
    /// A file by its name.
    File(String, Vec<u8>),
    /// A table begins.
    Table(TableHead),
    /// Encoded rows of that table.
    Rows(Vec<u8>),
    /// What there should be.
    End(Contents),
}

/// Reads frames, each checked before it is shown.
#[derive(Debug)]
pub(super) struct Reader<R> {
    input: R,
    path: PathBuf,
    digest: Digest,
    at: u64,
    part: String,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the first line.
    pub(super) fn begin(mut input: R, path: &Path) -> Result<Self, BackupError> {
        let mut line = [0; LINE_BYTES];
        let read = fill(&mut input, &mut line).map_err(file("read", path))?;
        let not = || BackupError::NotABackup {
            path: path.to_owned(),
        };
        let version = line.strip_prefix(MAGIC.as_bytes()).ok_or_else(not)?;
        if read < LINE_BYTES {
            return Err(not());
        }
        if line != first_line() {
            return Err(BackupError::NewerFormat {
                path: path.to_owned(),
                found: String::from_utf8_lossy(version).trim().to_owned(),
                known: FORMAT,
            });
        }
        Ok(Self {
            input,
            path: path.to_owned(),
            digest: digest(&[0; DIGEST_BYTES], &line, &[]),
            at: LINE_BYTES as u64,
            part: "its beginning".to_owned(),
            ended: false,
        })
    }

    /// The next frame; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, BackupError> {
        let mut head = [0; HEAD_BYTES];
        let read = self.fill(&mut head)?;
        match (read, self.ended) {
            (0, true) => return Ok(None),
            (_, true) => return Err(self.damaged()),
            (HEAD_BYTES, false) => {}
            (_, false) => return Err(self.cut_off(read)),
        }
        let [kind, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        let kind = FrameKind::from_byte(kind).filter(|_| length <= FRAME_BYTES_MAX);
        let kind = kind.ok_or_else(|| self.damaged())?;
        let mut content = vec![0; length + DIGEST_BYTES];
        let read = self.fill(&mut content)?;
        if read < content.len() {
            return Err(self.cut_off(read + head.len()));
        }
        let (content, told) = content.split_at(length);
        let digest = digest(&self.digest, &head, content);
        if digest != told {
            return Err(self.damaged());
        }
        let frame = self.decode(kind, content)?;
        self.digest = digest;
        self.at += (head.len() + length + DIGEST_BYTES) as u64;
        match &frame {
            Frame::Table(head) => self.part = head.name(),
            Frame::End(_) => (self.part, self.ended) = ("its end".to_owned(), true),
            _ => {}
        }
        Ok(Some(frame))
    }

    fn decode(&self, kind: FrameKind, content: &[u8]) -> Result<Frame, BackupError> {
        let json = |_| self.damaged();
        Ok(match kind {
            FrameKind::Header => Frame::Header(serde_json::from_slice(content).map_err(json)?),
            FrameKind::Table => Frame::Table(serde_json::from_slice(content).map_err(json)?),
            FrameKind::End => Frame::End(serde_json::from_slice(content).map_err(json)?),
            FrameKind::Rows => Frame::Rows(content.to_vec()),
            FrameKind::File => {
                let (name, bytes) = split_file(content).ok_or_else(|| self.damaged())?;
                Frame::File(name.to_owned(), bytes.to_vec())
            }
            FrameKind::GivenUp => {
                return Err(BackupError::GivenUp {
                    path: self.path.clone(),
                    why: String::from_utf8_lossy(content).into_owned(),
                });
            }
        })
    }

    /// Bytes read so far.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The present part is not what it should be.
    pub(super) fn damaged(&self) -> BackupError {
        BackupError::Damaged {
            path: self.path.clone(),
            part: self.part.clone(),
            at: self.at,
        }
    }

    fn cut_off(&self, read: usize) -> BackupError {
        BackupError::CutOff {
            path: self.path.clone(),
            part: self.part.clone(),
            at: self.at + read as u64,
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, BackupError> {
        fill(&mut self.input, buffer).map_err(file("read", &self.path))
    }
}

/// The content of a frame that holds a file.
pub(super) fn join_file(name: &str, bytes: &[u8]) -> Vec<u8> {
    [name.as_bytes(), &[0], bytes].concat()
}

fn split_file(content: &[u8]) -> Option<(&str, &[u8])> {
    let end = content.iter().position(|it| *it == 0)?;
    let name = std::str::from_utf8(content.get(..end)?).ok()?;
    Some((name, content.get(end + 1..)?))
}

/// Reads until the buffer is full or the input ends; says how much.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
