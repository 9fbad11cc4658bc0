//! What backups promise, on both databases and from one to the other.

mod damage;
mod pieces;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use contract::clock::Clock;
use contract::ids::{IdMint, InstanceId, ServiceId, TraceId};
use serde_json::json;
use tempfile::TempDir;
use tokio_stream::StreamExt as _;

use super::archive::{Frame, FrameKind, Writer};
use super::manifest::Contents;
use super::verify::open;
use super::{Restoring, Verified, Wanted, is_unfinished, take, verify};
use crate::audit;
use crate::db::bulk::{Row, Schemas, decode_rows};
use crate::db::testing::{TestDb, on_both_databases, on_empty_postgres};
use crate::db::{Database, Db, DbConfig, DbError, Store};
use crate::telemetry::{
    Actor, Channel, Frame as OpFrame, Level, LogEntry, LogFilter, Status, Telemetry, TraceFilter,
};

/// Takes a backup into a file of `folder`.
async fn take_to(db: &Db, folder: &Path, name: &str, telemetry: bool) -> PathBuf {
    let wanted = Wanted {
        telemetry,
        authority: None,
    };
    let mut taking = take(db, &Clock::system(), wanted).await.expect("begins");
    let mut whole = Vec::new();
    while let Some(piece) = taking.pieces.next().await {
        whole.extend_from_slice(&piece.expect("goes on to its end"));
    }
    let path = folder.join(name);
    std::fs::write(&path, whole).expect("writes");
    path
}

/// Rows of every table that has any, whatever their order.
fn rows(path: &Path) -> BTreeMap<String, Vec<String>> {
    let mut reader = open(path).expect("opens");
    let (mut found, mut table) = (BTreeMap::<_, Vec<_>>::new(), (String::new(), 0));
    while let Some(frame) = reader.next().expect("reads") {
        match frame {
            Frame::Table(head) => table = (head.name(), head.columns.len()),
            Frame::Rows(bytes) => {
                let rows: Vec<Row> = decode_rows(&bytes, table.1).expect("decodes");
                let rows = rows.iter().map(|row| format!("{row:?}"));
                found.entry(table.0.clone()).or_default().extend(rows);
            }
            _ => {}
        }
    }
    for rows in found.values_mut() {
        rows.sort();
    }
    found
}

async fn note(db: &Db, clock: &Clock, mint: &IdMint, target: String) -> Result<(), DbError> {
    let (clock, mint) = (clock.clone(), mint.clone());
    db.write(Store::Ledger, "note", move |conn| {
        let entry = audit::Entry::new((&clock, &mint), "test", "row.add", &target, json!({}));
        Box::pin(async move { audit::append(conn, &entry).await })
    })
    .await
}

fn operation(mint: &IdMint, number: i64, now_ms: i64) -> OpFrame {
    OpFrame {
        trace: TraceId::mint(mint),
        op: contract::ids::OpId::mint(mint),
        parent: None,
        channel: Some(Channel::Http),
        kind: 1,
        subject: format!("http.handle:POST//orders/{number}"),
        peer_service: String::new(),
        peer_instance: String::new(),
        business_key: format!("order-{number}"),
        attempt: 1,
        started_at_ms: now_ms,
        finished_at_ms: Some(now_ms + 3),
        status: Some(Status::Success),
        status_message: String::new(),
        meta_json: b"{}".to_vec(),
        attrs_json: "{\"unit\":\"\u{e9}\"}".as_bytes().to_vec(),
    }
}

/// Rows in the ledger, and in two kinds of history.
async fn fill(t: &TestDb, count: i64) {
    let who = Actor {
        service: ServiceId::mint(&t.mint),
        instance: InstanceId::mint(&t.mint),
    };
    let now_ms = t.clock.now().as_millis();
    for number in 0..3 {
        let noted = note(&t.db, &t.clock, &t.mint, format!("row {number}")).await;
        noted.expect("notes");
    }
    let telemetry = Telemetry::new(&t.db);
    let frames = (0..count).map(|number| operation(&t.mint, number, now_ms));
    telemetry
        .ingest(who, frames.collect())
        .await
        .expect("stores");
    let line = |number| {
        LogEntry::new(who, now_ms, 1, Level::Warn, &format!("cauldron {number}"))
            .with_fields(br#"{"colour":"verdigris"}"#)
    };
    let lines = (0..count).map(line).collect();
    telemetry.logs().ingest(1, lines).await.expect("stores");
}

/// Both searches find what they found: the words were made anew.
async fn searches(db: &Db) -> (usize, usize, usize) {
    let telemetry = Telemetry::new(db);
    let text = |text: &str| text.to_owned();
    let traces = TraceFilter {
        text: text("orders 7"),
        ..TraceFilter::default()
    };
    let traces = telemetry
        .list_traces(&traces, 50, None)
        .await
        .expect("lists");
    let mut found = [0; 2];
    for (place, word) in ["cauldron 7", "verdigris"].into_iter().enumerate() {
        let filter = LogFilter {
            text: text(word),
            ..LogFilter::default()
        };
        let page = telemetry
            .logs()
            .query(&filter, 5_000, None)
            .await
            .expect("lists");
        found[place] = page.lines.len();
    }
    (traces.traces.len(), found[0], found[1])
}

fn into(data: PathBuf, database: Option<String>) -> Restoring {
    Restoring {
        data,
        database,
        telemetry: true,
        clock: Clock::system(),
    }
}

async fn restore(backup: &Verified, to: &Restoring) -> Db {
    let restored = to.run(backup, |_| {}).await.expect("restores");
    assert_eq!(restored.rows, backup.contents.rows());
    let database = match &to.database {
        Some(url) => Database::Postgres { url: url.clone() },
        None => Database::Sqlite {
            folder: to.data.clone(),
        },
    };
    let clock = Clock::system();
    Db::open(DbConfig { database, clock }).await.expect("opens")
}

on_both_databases! {
    async fn everything_comes_back_row_by_row_on_either_database(t: TestDb) {
        fill(&t, 100).await;
        t.db.add_slice(crate::db::History::Logs, t.clock.now().as_millis() + 1).await.expect("adds");
        let folder = TempDir::new().expect("a folder");
        let backup = verify(&take_to(&t.db, folder.path(), "one", true).await).expect("is whole");
        assert!(backup.contents.rows_of("ops") == 100 && backup.contents.rows_of("logs") == 100);
        let (before, found) = (rows(&folder.path().join("one")), searches(&t.db).await);
        assert!(before.len() > 4, "{:?}", before.keys());
        assert_eq!((found.1 > 0, found.2), (true, 100), "{found:?}");

        let db = restore(&backup, &into(folder.path().join("sqlite"), None)).await;
        take_to(&db, folder.path(), "two", true).await;
        assert_eq!(rows(&folder.path().join("two")), before);
        assert_eq!(searches(&db).await, found);
        db.close().await;
        let copy = (backup, before, found);
        let data = folder.path().to_owned();
        on_empty_postgres(|url| async move {
            let (backup, before, found) = copy;
            let to = into(data.join("postgres"), Some(url));
            let db = restore(&backup, &to).await;
            take_to(&db, &data, "three", true).await;
            assert_eq!(rows(&data.join("three")), before);
            assert_eq!(searches(&db).await, found);
            db.close().await;
            let again = Restoring { data: data.join("again"), ..to };
            let error = again.run(&backup, |_| {}).await.expect_err("has tables");
            assert!(error.to_string().contains("empty database"), "{error}");
            assert!(!is_unfinished(&again.data) && again.data.read_dir().expect("reads").next().is_none());
        })
        .await;
    }

    async fn nothing_acknowledged_before_the_moment_is_missing(t: TestDb) {
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4).map(|writer| {
            let (t, stop) = (t.clone(), stop.clone());
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for number in 0.. {
                    let target = format!("w{writer}-{number}");
                    note(&t.db, &t.clock, &t.mint, target.clone()).await.expect("notes");
                    acknowledged.push((t.clock.now().as_millis(), target));
                    if stop.load(Ordering::Relaxed) {
                        return acknowledged;
                    }
                }
                acknowledged
            })
        }).collect();
        let folder = TempDir::new().expect("a folder");
        let mut backups = Vec::new();
        for number in 0..3 {
            t.clock.sleep(std::time::Duration::from_millis(100)).await;
            let path = take_to(&t.db, folder.path(), &format!("b{number}"), true).await;
            backups.push(verify(&path).expect("is whole"));
        }
        stop.store(true, Ordering::Relaxed);
        let mut acknowledged = Vec::new();
        for writer in writers {
            acknowledged.extend(writer.await.expect("runs"));
        }
        for backup in backups {
            let inside = rows(&backup.path).remove("`audit` of ledger").unwrap_or_default().join("\n");
            let before = acknowledged.iter().filter(|it| it.0 < backup.taken_at_unix_ms());
            let missing: Vec<_> = before.clone().filter(|it| !inside.contains(&format!("\"{}\"", it.1))).collect();
            assert!(missing.is_empty(), "{missing:?}");
            assert!(before.count() > 0, "something was acknowledged before");
        }
    }

    async fn telemetry_stays_out_when_it_is_not_wanted(t: TestDb) {
        fill(&t, 3).await;
        let folder = TempDir::new().expect("a folder");
        let without = verify(&take_to(&t.db, folder.path(), "without", false).await).expect("is whole");
        assert!(!without.telemetry() && without.contents.rows_of("audit") == 3);
        assert!(without.contents.tables.iter().all(|it| it.place == "ledger"));
        let with = verify(&take_to(&t.db, folder.path(), "with", true).await).expect("is whole");
        let to = Restoring { telemetry: false, ..into(folder.path().join("data"), None) };
        let restored = to.run(&with, |_| {}).await.expect("restores");
        assert_eq!(restored.rows, without.contents.rows());
        for backup in [&without, &with] {
            let name = format!("data-{}", backup.bytes);
            let to = Restoring { telemetry: false, ..into(folder.path().join(name), None) };
            to.run(backup, |_| {}).await.expect("restores");
            let database = Database::Sqlite { folder: to.data };
            let db = Db::open(DbConfig { database, clock: Clock::system() }).await.expect("opens");
            assert_eq!(searches(&db).await, (0, 0, 0));
            db.close().await;
        }
    }
}

/// A small backup.
async fn small(t: &TestDb, folder: &Path) -> PathBuf {
    note(&t.db, &t.clock, &t.mint, "one".to_owned())
        .await
        .expect("notes");
    take_to(&t.db, folder, "small", false).await
}

/// The same backup as the binary before would have taken it: without what was added since.
fn as_before(whole: &Path, to: &Path) -> Schemas {
    let mut reader = open(whole).expect("opens");
    let (mut writer, mut bytes) = Writer::begin();
    let (mut contents, mut keep, mut schemas) = (Contents::default(), false, Schemas::new());
    while let Some(frame) = reader.next().expect("reads") {
        let (kind, content) = match frame {
            Frame::Header(mut header) => {
                header
                    .schemas
                    .insert("ledger".to_owned(), "0001_first".to_owned());
                header
                    .schemas
                    .insert("telemetry".to_owned(), "0002_slices".to_owned());
                schemas = header.schemas.clone();
                (
                    FrameKind::Header,
                    serde_json::to_vec(&header).expect("is JSON"),
                )
            }
            Frame::Table(head) => {
                let since = ["accounts", "api_tokens", "foreign_services"];
                keep = !since.contains(&head.table.as_str());
                (
                    FrameKind::Table,
                    serde_json::to_vec(&head).expect("is JSON"),
                )
            }
            Frame::Rows(rows) => (FrameKind::Rows, rows),
            Frame::End(mut told) => {
                let since = ["accounts", "api_tokens", "foreign_services"];
                told.tables.retain(|it| !since.contains(&it.table.as_str()));
                contents.clone_from(&told);
                (FrameKind::End, serde_json::to_vec(&told).expect("is JSON"))
            }
            Frame::File(..) => continue,
        };
        if keep || matches!(kind, FrameKind::Header | FrameKind::End) {
            bytes.extend(writer.frame(kind, &content));
        }
    }
    assert!(!contents.tables.is_empty());
    std::fs::write(to, bytes).expect("writes");
    schemas
}

on_both_databases! {
    async fn a_backup_of_the_binary_before_is_restored_and_migrated_at_the_next_start(t: TestDb) {
        fill(&t, 5).await;
        let folder = TempDir::new().expect("a folder");
        let whole = take_to(&t.db, folder.path(), "whole", true).await;
        let old = folder.path().join("old");
        let schemas = as_before(&whole, &old);
        assert_ne!(schemas, crate::db::bulk::newest_schemas());
        let backup = verify(&old).expect("is whole");
        let db = restore(&backup, &into(folder.path().join("sqlite"), None)).await;
        let again = take_to(&db, folder.path(), "again", true).await;
        assert_eq!(rows(&again), rows(&whole));
        db.close().await;
        let data = folder.path().join("postgres");
        on_empty_postgres(|url| async move {
            let db = restore(&backup, &into(data, Some(url))).await;
            assert_eq!(searches(&db).await.2, 5);
            db.close().await;
        })
        .await;
    }
}
