//! Restoring: a verified backup into an empty data folder, and on PostgreSQL an empty database.
//!
//! ```text
//!  mark the folder ──▶ fill (PostgreSQL: one transaction) ──▶ authority ──▶ commit ──▶ unmark
//! ```
//!
//! Refuses what is not empty, and a second pass over a file that does not read as the first did.
//!
//! Invariant: as long as anything is missing the mark is there. A restore that fails removes what it
//! made; one that is killed leaves the mark, and with it a folder that starts no runtime.

use std::path::PathBuf;

use contract::clock::Clock;

use super::archive::{Frame, Reader};
use super::error::BackupError;
use super::manifest::TableHead;
use super::verify::{Verified, open};
use super::{authority, mark};
use crate::db::Database;
use crate::db::bulk::{Column, Filling, Kind, Place, Row, Value, decode_rows};
use crate::telemetry::log_words;

/// Where a backup is to go.
#[derive(Clone, Debug)]
pub struct Restoring {
    /// The data folder, empty or not there.
    pub data: PathBuf,
    /// The database, empty. SQLite in the data folder when it is not named.
    pub database: Option<String>,
    /// Traces, logs, metrics and payloads too, if the backup has them.
    pub telemetry: bool,
    /// Stamps what is done.
    pub clock: Clock,
}

/// What a restore did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Rows that were written.
    pub rows: u64,
}

impl Restoring {
    /// Restores `backup`; `progress` hears of the bytes read so far.
    ///
    /// # Errors
    ///
    /// [`BackupError`]; then nothing is there that was not there before, unless the error says so.
    pub async fn run(
        &self,
        backup: &Verified,
        progress: impl FnMut(u64) + Send,
    ) -> Result<Restored, BackupError> {
        mark::set(&self.data)?;
        match self.fill(backup, progress).await {
            Ok(restored) => Ok(restored),
            Err(error) => {
                if let Err(left) = mark::wipe(&self.data) {
                    tracing::error!(error = %left, "what the restore had made was not removed");
                }
                Err(error)
            }
        }
    }

    async fn fill(
        &self,
        backup: &Verified,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<Restored, BackupError> {
        let database = match &self.database {
            Some(url) => Database::Postgres { url: url.clone() },
            None => Database::Sqlite {
                folder: self.data.clone(),
            },
        };
        let mut reader = open(&backup.path)?;
        let filling = Filling::begin(&database, &self.clock, &backup.header.schemas).await?;
        let mut pass = Pass {
            filling,
            table: None,
            place: None,
            restored: Restored::default(),
        };
        loop {
            match reader.next()? {
                Some(Frame::Header(header)) if header == backup.header => {}
                Some(Frame::File(name, content)) if authority::is_known(&name) => {
                    authority::write(&self.data, &name, &content)?;
                }
                Some(Frame::Table(head)) => pass.turn_to(head, self.telemetry).await?,
                Some(Frame::Rows(bytes)) => pass.rows(&reader, &bytes).await?,
                Some(Frame::End(told)) if told == backup.contents => {}
                None => break,
                // Verified a moment ago, and another file now.
                Some(_) => return Err(reader.damaged()),
            }
            progress(reader.at());
        }
        pass.filling.finish().await?;
        mark::clear(&self.data)?;
        Ok(pass.restored)
    }
}

/// One pass over the file.
struct Pass {
    filling: Filling,
    /// The table whose rows come; `None` when they are left out.
    table: Option<TableHead>,
    place: Option<Place>,
    restored: Restored,
}

impl Pass {
    async fn turn_to(&mut self, head: TableHead, telemetry: bool) -> Result<(), BackupError> {
        if head.place.is_telemetry() && !telemetry {
            self.table = None;
            return Ok(());
        }
        if self.place != Some(head.place) {
            self.filling.turn_to(head.place).await?;
            self.place = Some(head.place);
        }
        self.table = Some(head);
        Ok(())
    }

    async fn rows<R: std::io::Read>(
        &mut self,
        reader: &Reader<R>,
        bytes: &[u8],
    ) -> Result<(), BackupError> {
        let Some(head) = &self.table else {
            return Ok(());
        };
        let rows = decode_rows(bytes, head.columns.len()).ok_or_else(|| reader.damaged())?;
        self.restored.rows += rows.len() as u64;
        let (columns, rows) = with_words(head, rows);
        self.filling.insert(&head.table, &columns, &rows).await?;
        Ok(())
    }
}

/// Log lines get their words again, which no backup holds: each database keeps them in its own way.
fn with_words(head: &TableHead, mut rows: Vec<Row>) -> (Vec<Column>, Vec<Row>) {
    let mut columns = head.columns.clone();
    let place = |name: &str| columns.iter().position(|it| it.name == name);
    let (true, Some(message), Some(fields)) =
        (head.table == "logs", place("message"), place("fields_json"))
    else {
        return (columns, rows);
    };
    for row in &mut rows {
        let words = match (row.get(message), row.get(fields)) {
            (Some(Value::Text(message)), Some(Value::Text(fields))) => log_words(message, fields),
            _ => String::new(),
        };
        row.push(Value::Text(words));
    }
    columns.push(Column {
        name: "words".to_owned(),
        kind: Kind::Words,
    });
    (columns, rows)
}
