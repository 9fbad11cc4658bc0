//! Backups: everything a runtime keeps in one file, taken while it runs, restored on either database.
//!
//! ```text
//!  take:     snapshot ──▶ frames, each with a digest over all before it ──▶ … ──▶ the end, with counts
//!  restore:  verify the whole file ──▶ mark the folder ──▶ fill ──▶ unmark
//! ```
//!
//! A backup holds the ledger (services, hashes of their keys, accounts, API tokens, settings, audit
//! trail), the certificate authority and, unless told otherwise, telemetry. It states its moment:
//! whatever was acknowledged before it is inside. **It holds the authority's private key**: who has
//! the file can speak for every service. Logins are left out: nobody is logged in by a restore.
//!
//! The format knows values, not databases: a backup of SQLite fills PostgreSQL and the other way
//! round. Tables are restored as the binary that took the backup knew them; the next start migrates.
//!
//! Refuses to restore into what is not empty, from a file that does not verify to its last byte, and
//! from a newer format or schema.
//!
//! Invariant: a file that was cut, changed or never finished does not verify; a folder whose restore
//! did not finish starts no runtime.

mod error;
mod manifest;
mod archive;
mod authority;
mod take;
mod ending;
mod verify;
mod mark;
mod restore;
#[cfg(test)]
mod tests;

pub use authority::AuthorityFiles;
pub use ending::Ending;
pub use error::BackupError;
pub use manifest::{Authority, Contents, TableCount};
pub use mark::{MARK_FILE, is_unfinished};
pub use restore::{Restored, Restoring};
pub use take::{Pieces, Taking, Wanted, take};
pub use verify::{Verified, verify};
