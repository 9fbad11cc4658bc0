//! Following a backup as it goes by: was the last frame its end? What is inside of the frames is for
//! [`verify`](super::verify()); this needs no file and keeps no bytes.
//!
//! Refuses what ends anywhere else, and what goes on after its end.

use std::path::Path;

use super::archive::{DIGEST_BYTES, FrameKind, HEAD_BYTES, LINE_BYTES};
use super::error::BackupError;

/// Bytes that are kept of why a backup was given up.
const WHY_BYTES_MAX: usize = 4 * 1024;

/// What has gone by.
#[derive(Debug)]
pub struct Ending {
    /// Bytes so far.
    at: u64,
    /// Where the present frame begins.
    frame_at: u64,
    /// Bytes that belong to the present frame still, when its head has gone by.
    left: u64,
    head: Vec<u8>,
    kind: Option<FrameKind>,
    why: Vec<u8>,
    is_wrong: bool,
}

impl Default for Ending {
    fn default() -> Self {
        Self {
            at: 0,
            frame_at: 0,
            left: LINE_BYTES as u64,
            head: Vec::new(),
            kind: None,
            why: Vec::new(),
            is_wrong: false,
        }
    }
}

impl Ending {
    /// More bytes go by.
    pub fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = if self.left > 0 {
                self.inside(bytes)
            } else {
                self.head(bytes)
            };
            self.at += taken as u64;
            bytes = &bytes[taken..];
        }
    }

    fn inside(&mut self, bytes: &[u8]) -> usize {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let taken = left.min(bytes.len());
        if self.kind == Some(FrameKind::GivenUp) {
            let content = left.saturating_sub(DIGEST_BYTES).min(taken);
            let room = WHY_BYTES_MAX - self.why.len();
            self.why.extend_from_slice(&bytes[..content.min(room)]);
        }
        self.left -= taken as u64;
        taken
    }

    fn head(&mut self, bytes: &[u8]) -> usize {
        if self.head.is_empty() {
            self.frame_at = self.at;
            self.is_wrong |= self.kind == Some(FrameKind::End);
        }
        let taken = (HEAD_BYTES - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..taken]);
        if let [kind, a, b, c, d] = self.head[..] {
            self.kind = FrameKind::from_byte(kind);
            self.is_wrong |= self.kind.is_none();
            self.left = u64::from(u32::from_le_bytes([a, b, c, d])) + DIGEST_BYTES as u64;
            self.head.clear();
        }
        taken
    }

    /// Whether what has gone by, to `path`, was all of a backup.
    ///
    /// # Errors
    ///
    /// `GivenUp` when the runtime said why, `Damaged` when it is no backup, `CutOff` otherwise.
    pub fn check(&self, path: &Path) -> Result<(), BackupError> {
        let path = path.to_owned();
        let between = self.left == 0 && self.head.is_empty();
        let part = format!("the part that begins at byte {}", self.frame_at);
        let at = self.at;
        match self.kind {
            _ if self.is_wrong => Err(BackupError::Damaged { path, part, at }),
            Some(FrameKind::End) if between => Ok(()),
            Some(FrameKind::GivenUp) => Err(BackupError::GivenUp {
                path,
                why: String::from_utf8_lossy(&self.why).into_owned(),
            }),
            _ => Err(BackupError::CutOff { path, part, at }),
        }
    }
}
