//! `bridge backup`, `bridge backup verify`, `bridge restore`.
//!
//! Invariant: a file gets its name after it was written, synced and verified; until then it ends with
//! `.part`. Nothing that exists is overwritten.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::backup_args::{Backup, Restore};
use super::screen::answer;
use super::when::shown as time_shown;
use super::{AnyError, Output};
use crate::backup::{Authority, Ending, Restoring, TableCount, Verified, verify};
use crate::config::Config;
use crate::operator::draw::bytes;
use crate::operator::{Client, Pieces, STORES_BYTES, TakeBackup};

/// A progress line is drawn again after so many bytes.
const PROGRESS_BYTES: u64 = 4 * 1024 * 1024;

/// What a backup holds, for people and machines.
#[derive(Serialize)]
struct Shown<'v> {
    file: &'v Path,
    bytes: u64,
    bridge: &'v str,
    database: &'v str,
    schema: &'v str,
    /// Everything acknowledged before this is inside.
    taken_at_unix_ms: i64,
    telemetry: bool,
    authority: Authority,
    rows: u64,
    tables: &'v [TableCount],
}

/// Takes a backup of the runtime that `client` talks to.
pub(super) async fn run(
    client: &Client,
    output: Output,
    wanted: &Backup,
) -> Result<ExitCode, AnyError> {
    let target = Target::of(wanted.to.as_deref().unwrap_or(Path::new("-")))?;
    let wanted = TakeBackup {
        telemetry: !wanted.without_telemetry,
    };
    let mut pieces = client.pieces("/api/v1/backup", &wanted).await?;
    let mut progress = Progress::new("copied", pieces.number(&STORES_BYTES), "in the stores");
    match target {
        Target::Stream(mut out, name) => {
            copy(&mut pieces, &mut *out, &name, &mut progress).await?;
            progress.end();
            Ok(ExitCode::SUCCESS)
        }
        Target::File(path) => {
            let part = Part::begin(&path)?;
            let mut out = &part.file;
            copy(&mut pieces, &mut out, &path, &mut progress).await?;
            progress.end();
            let verified = part.finish()?;
            show(output, &verified, &path)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Checks a backup.
pub(super) fn verified(output: Output, file: &Path) -> Result<ExitCode, AnyError> {
    let verified = verify(file)?;
    show(output, &verified, file)?;
    Ok(ExitCode::SUCCESS)
}

/// Restores a backup.
pub(super) async fn restore(
    config: Config,
    output: Output,
    wanted: &Restore,
) -> Result<ExitCode, AnyError> {
    let backup = verify(&wanted.file)?;
    let restoring = Restoring {
        data: config.data.clone(),
        database: config.database.clone(),
        telemetry: !wanted.without_telemetry,
        clock: config.clock.clone(),
    };
    let mut progress = Progress::new("restored", Some(backup.bytes), "");
    let restored = restoring.run(&backup, |read| progress.at(read)).await?;
    progress.end();
    let value = serde_json::json!({
        "data": config.data,
        "rows": restored.rows,
        "taken_at_unix_ms": backup.taken_at_unix_ms(),
    });
    answer(output, &value, |_| {
        let mut text = format!(
            "{} rows restored into {}, as of {}\nstart it with: bridge serve --data {}",
            restored.rows,
            config.data.display(),
            time_shown(backup.taken_at_unix_ms()),
            config.data.display()
        );
        if config.database.is_some() {
            text.push_str(" --database …");
        }
        if backup.authority() == Authority::External {
            text.push_str(" --ca-cert … --ca-key …");
        }
        text
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show(output: Output, verified: &Verified, file: &Path) -> Result<(), AnyError> {
    let shown = Shown {
        file,
        bytes: verified.bytes,
        bridge: verified.bridge(),
        database: verified.database(),
        schema: verified.schema(),
        taken_at_unix_ms: verified.taken_at_unix_ms(),
        telemetry: verified.telemetry(),
        authority: verified.authority(),
        rows: verified.contents.rows(),
        tables: &verified.contents.tables,
    };
    answer(output, &shown, text)
}

fn text(it: &Shown<'_>) -> String {
    let mut lines = vec![
        format!(
            "{} is whole: {}, {} rows",
            it.file.display(),
            bytes(it.bytes),
            it.rows
        ),
        format!(
            "  moment     {}: everything acknowledged before it is inside",
            time_shown(it.taken_at_unix_ms)
        ),
        format!(
            "  taken by   bridge {} on {}, schema {}",
            it.bridge, it.database, it.schema
        ),
    ];
    let rows = |table: &str| {
        let of = it.tables.iter().filter(|it| it.table == table);
        of.map(|it| it.rows).sum::<u64>()
    };
    lines.push(format!(
        "  ledger     {} services, {} keys, {} accounts, {} settings, {} audit entries",
        rows("services"),
        rows("service_keys"),
        rows("accounts"),
        rows("settings"),
        rows("audit")
    ));
    lines.push(if it.telemetry {
        format!(
            "  telemetry  {} operations, {} log lines, {} metric windows, {} payloads",
            rows("ops"),
            rows("logs"),
            rows("metric_windows"),
            rows("payloads")
        )
    } else {
        "  telemetry  left out".to_owned()
    });
    lines.push(match it.authority {
        Authority::Included => {
            "  authority  inside, with its private key: keep this file like a password".to_owned()
        }
        Authority::External => {
            "  authority  not inside: back up the files of --ca-cert and --ca-key yourself"
                .to_owned()
        }
    });
    lines.join("\n")
}

/// Where a backup goes.
enum Target {
    /// A new file.
    File(PathBuf),
    /// Standard output, a pipe or a device.
    Stream(Box<dyn Write + Send>, PathBuf),
}

impl Target {
    fn of(to: &Path) -> Result<Self, AnyError> {
        if to == Path::new("-") {
            let stdout = std::io::stdout();
            if stdout.is_terminal() {
                return Err("a backup is no text: send it to a file or a pipe".into());
            }
            return Ok(Self::Stream(Box::new(stdout), "standard output".into()));
        }
        match std::fs::metadata(to) {
            Ok(found) if found.is_dir() => Ok(Self::File(to.join(named_after_now()))),
            Ok(found) if found.is_file() => {
                Err(format!("{} is there already; name a new file", to.display()).into())
            }
            Ok(_) => {
                let out = OpenOptions::new().write(true).open(to);
                let out = out.map_err(|error| format!("cannot open {}: {error}", to.display()))?;
                Ok(Self::Stream(Box::new(out), to.to_owned()))
            }
            Err(_) => Ok(Self::File(to.to_owned())),
        }
    }
}

fn named_after_now() -> String {
    let now_ms = contract::clock::Clock::system().now().as_millis();
    let time = time_shown(now_ms).replace([':', ' '], "-");
    format!("bridge-{time}.backup")
}

/// Copies a backup to its end, and makes sure that it was the end.
async fn copy(
    pieces: &mut Pieces,
    out: &mut (dyn Write + Send),
    name: &Path,
    progress: &mut Progress,
) -> Result<(), AnyError> {
    let fault = |error| format!("cannot write {}: {error}", name.display());
    let (mut copied, mut ending) = (0, Ending::default());
    let broken = loop {
        match pieces.next().await {
            Ok(Some(piece)) => {
                out.write_all(&piece).map_err(fault)?;
                copied += piece.len() as u64;
                ending.follow(&piece);
                progress.at(copied);
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    out.flush().map_err(fault)?;
    // What the file says of its end says more than that the answer broke off.
    ending.check(name)?;
    broken.map_or(Ok(()), |error| Err(error.into()))
}

/// A file that has no name yet. Removed unless it is finished.
struct Part {
    file: File,
    part: PathBuf,
    path: PathBuf,
}

impl Part {
    fn begin(path: &Path) -> Result<Self, AnyError> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut options = OpenOptions::new();
        // One that was left behind by a killed backup is written over.
        options.write(true).create(true).truncate(true).mode(0o600);
        let fault = |error| format!("cannot create {}: {error}", part.display());
        let file = options.open(&part).map_err(fault)?;
        let private = std::fs::Permissions::from_mode(0o600);
        file.set_permissions(private).map_err(fault)?;
        Ok(Self {
            file,
            part,
            path: path.to_owned(),
        })
    }

    fn finish(self) -> Result<Verified, AnyError> {
        let fault = |error| format!("cannot write {}: {error}", self.part.display());
        self.file.sync_all().map_err(fault)?;
        let verified = verify(&self.part)?;
        // Unlike a rename this does not replace a file that has come up since.
        let named = match std::fs::hard_link(&self.part, &self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(error),
            // Some file systems know no links.
            Err(_) if !self.path.exists() => std::fs::rename(&self.part, &self.path),
            named => named,
        };
        named.map_err(|error| format!("cannot name {}: {error}", self.path.display()))?;
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new(".")));
        folder.and_then(|it| it.sync_all()).map_err(fault)?;
        Ok(verified)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.part) {
            tracing::debug!(error = %error, "an unfinished backup was not removed");
        }
    }
}

/// A line that is drawn again and again, on a terminal only.
struct Progress {
    verb: &'static str,
    whole: Option<u64>,
    of: &'static str,
    shown_at: Option<u64>,
}

impl Progress {
    fn new(verb: &'static str, whole: Option<u64>, of: &'static str) -> Self {
        let shown_at = std::io::stderr().is_terminal().then_some(0);
        Self {
            verb,
            whole,
            of,
            shown_at,
        }
    }

    fn at(&mut self, done: u64) {
        let Some(shown_at) = self.shown_at else {
            return;
        };
        if done >= shown_at + PROGRESS_BYTES {
            self.shown_at = Some(done);
            let whole = self.whole.map(|it| format!(" ({} {})", bytes(it), self.of));
            eprint!(
                "\r\x1b[K{} {}{}",
                self.verb,
                bytes(done),
                whole.unwrap_or_default()
            );
        }
    }

    fn end(&mut self) {
        if self.shown_at.is_some_and(|it| it > 0) {
            eprint!("\r\x1b[K");
        }
    }
}
