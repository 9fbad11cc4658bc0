//! What the store promises, on both databases: grouping, failing alone, order, limits, recovery.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Executor, Row, SqlSafeStr};
use tokio::sync::{Notify, oneshot};

use super::testing::{TestDb, files_below, on_both_databases, on_sqlite};
use super::writer::QUEUE_MAX;
use super::{Conn, Database, Db, DbError, DbErrorKind, Driver, Store, on_conn};

/// Sets the number in row `row`, which must not exist.
async fn insert(conn: &mut Conn<'_>, row: i64, value: i64) -> Result<(), DbError> {
    on_conn!(conn, "insert a row", c => {
        sqlx::query("INSERT INTO sync_probe (id, at_us) VALUES ($1, $2)")
            .bind(row)
            .bind(value)
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// Adds one to row 1 if it reads `before`; fails otherwise.
async fn step(conn: &mut Conn<'_>, before: i64) -> Result<(), DbError> {
    let changed = on_conn!(conn, "step a row", c => {
        sqlx::query("UPDATE sync_probe SET at_us = $1 + 1 WHERE id = 1 AND at_us = $1")
            .bind(before)
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    if changed == 1 {
        Ok(())
    } else {
        Err(DbError::corrupt("step a row", "out of order"))
    }
}

async fn rows(db: &Db) -> Vec<(i64, i64)> {
    let mut held = db.read(Store::Ledger, "list rows").await.expect("reads");
    on_conn!(&mut held.conn(), "list rows", c => {
        sqlx::query_as::<_, (i64, i64)>("SELECT id, at_us FROM sync_probe ORDER BY id")
            .fetch_all(c)
            .await
    })
    .expect("lists")
}

async fn put(db: &Db, row: i64, value: i64) -> Result<(), DbError> {
    db.write(Store::Ledger, "put a row", move |conn| {
        Box::pin(insert(conn, row, value))
    })
    .await
}

/// Holds the writer inside a write until the gate opens, so that what is queued next becomes one
/// group.
async fn hold_writer(db: &Db) -> (Arc<Notify>, tokio::task::JoinHandle<Result<(), DbError>>) {
    let (gate, entered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let write = {
        let (db, gate, entered) = (db.clone(), gate.clone(), entered.clone());
        tokio::spawn(async move {
            db.write(Store::Ledger, "hold the writer", move |_| {
                let (gate, entered) = (gate.clone(), entered.clone());
                Box::pin(async move {
                    entered.notify_one();
                    gate.notified().await;
                    Ok(())
                })
            })
            .await
        })
    };
    entered.notified().await;
    (gate, write)
}

on_both_databases! {
    async fn a_write_is_there_when_it_returns(t: TestDb) {
        put(&t.db, 1, 7).await.expect("writes");
        assert_eq!(rows(&t.db).await, [(1, 7)]);
    }

    async fn a_failed_body_leaves_nothing_behind(t: TestDb) {
        let outcome: Result<(), DbError> = t
            .db
            .write(Store::Ledger, "fail half way", |conn| {
                Box::pin(async move {
                    insert(conn, 1, 1).await?;
                    Err(DbError::corrupt("fail half way", "on purpose"))
                })
            })
            .await;
        assert_eq!(outcome.expect_err("fails").to_string(), "cannot fail half way: on purpose");
        assert_eq!(rows(&t.db).await, []);
    }

    async fn a_taken_key_is_a_conflict(t: TestDb) {
        put(&t.db, 1, 1).await.expect("writes");
        let error = put(&t.db, 1, 2).await.expect_err("conflicts");
        assert!(error.is_conflict(), "{error:?}");
        assert_eq!(error.to_string(), "cannot insert a row: it exists already");
    }

    async fn a_failed_statement_fails_the_write_even_when_it_is_ignored(t: TestDb) {
        put(&t.db, 1, 1).await.expect("writes");
        let outcome: Result<(), DbError> = t
            .db
            .write(Store::Ledger, "look away", |conn| {
                Box::pin(async move {
                    insert(conn, 2, 2).await?;
                    let _ignored = insert(conn, 1, 1).await;
                    Ok(())
                })
            })
            .await;
        assert!(outcome.expect_err("fails").is_conflict());
        assert_eq!(rows(&t.db).await, [(1, 1)]);
    }

    async fn a_bad_item_of_a_group_fails_alone(t: TestDb) {
        let outcomes = group(&t, |row| async move { if row % 10 == 3 { 0 } else { row } }, 50).await;
        for (row, outcome) in outcomes {
            assert_eq!(outcome.is_err(), row % 10 == 3, "row {row}: {outcome:?}");
        }
        let expected = (0..50).filter(|row| row % 10 != 3);
        assert_eq!(rows(&t.db).await, expected.map(|row| (row, row)).collect::<Vec<_>>());
    }

    async fn a_panic_fails_its_own_write_and_the_next_one_works(t: TestDb) {
        for early in [true, false] {
            let outcome: Result<(), DbError> = t
                .db
                .write(Store::Ledger, "panic", move |conn| {
                    assert!(!early, "before the future");
                    Box::pin(async move {
                        insert(conn, 1, 1).await?;
                        panic!("inside the future")
                    })
                })
                .await;
            let error = outcome.expect_err("fails");
            assert_eq!(error.kind(), DbErrorKind::Other);
            assert!(error.to_string().contains("the future"), "{error}");
        }
        put(&t.db, 2, 2).await.expect("the writer is alive");
        assert_eq!(rows(&t.db).await, [(2, 2)]);
    }

    async fn a_caller_that_stops_waiting_breaks_nothing(t: TestDb) {
        for row in 0..20 {
            let mut write = Box::pin(put(&t.db, row, row));
            std::future::poll_fn(|cx| {
                let _ = write.as_mut().poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
        }
        put(&t.db, 100, 1).await.expect("the writer is alive");
        assert!(rows(&t.db).await.contains(&(100, 1)));
    }

    async fn what_was_acknowledged_is_there_after_a_crash(t: TestDb) {
        for row in 0..30 {
            put(&t.db, row, row).await.expect("writes");
        }
        // No close: as after a kill, the first handle is simply gone while the second opens.
        let again = t.reopen().await.expect("opens");
        assert_eq!(rows(&again).await.len(), 30);
        again.close().await;
    }

    async fn closing_finishes_what_is_queued_and_refuses_the_rest(t: TestDb) {
        let writes: Vec<_> = (0..100)
            .map(|row| {
                let db = t.db.clone();
                tokio::spawn(async move { put(&db, row, row).await })
            })
            .collect();
        let mut stored = 0;
        for write in writes {
            stored += usize::from(write.await.expect("runs").is_ok());
        }
        t.db.close().await;
        let error = put(&t.db, 1_000, 1).await.expect_err("refused");
        assert_eq!(error.kind(), DbErrorKind::Unavailable);
        let again = t.reopen().await.expect("opens");
        assert_eq!(rows(&again).await.len(), stored);
        again.close().await;
    }

    async fn two_processes_may_start_at_once(t: TestDb) {
        let openers: Vec<_> = (0..4)
            .map(|_| {
                let t = t.clone();
                tokio::spawn(async move { t.reopen().await })
            })
            .collect();
        for opener in openers {
            let db = opener.await.expect("runs").expect("opens");
            db.close().await;
        }
    }

    async fn a_newer_schema_is_refused(t: TestDb) {
        t.db.write::<(), DbError, _>(Store::Ledger, "pretend", |conn| {
            Box::pin(async move {
                on_conn!(conn, "pretend", c => {
                    sqlx::query(
                        "INSERT INTO schema_migrations (store, name, checksum, applied_at_us)
                         VALUES ('ledger', '9999_future', '', 0)",
                    )
                    .execute(c)
                    .await
                    .map(|_| ())
                })
            })
        })
        .await
        .expect("writes");
        let error = t.reopen().await.expect_err("refused");
        assert_eq!(error.kind(), DbErrorKind::Schema);
        let text = error.to_string();
        assert!(text.contains("`9999_future`") && text.contains("`0001_first`"), "{text}");
    }

    async fn doctor_can_describe_it_and_time_a_commit(t: TestDb) {
        let described = t.db.describe().await.expect("describes");
        assert_eq!(described.stores.len(), 2);
        assert!(described.stores.iter().all(|it| it.bytes > 0 && it.schema == "0001_first"));
        assert!(!described.version.is_empty());
        assert!(!t.db.sync_probe().await.expect("measures").is_zero());
    }

    async fn every_statement_file_prepares(t: TestDb) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
        let mut prepared = 0;
        for file in files_below(&folder) {
            let name = file.display().to_string();
            // Transaction starts are sent as they are: PostgreSQL's are two statements at once.
            if name.starts_with("db/begin_") {
                continue;
            }
            let text = std::fs::read_to_string(folder.join(&file)).expect("reads");
            let store = if name.starts_with("telemetry/") { Store::Telemetry } else { Store::Ledger };
            let mut held = t.db.read(store, "prepare").await.expect("a connection");
            let text = AssertSqlSafe(text).into_sql_str();
            let outcome = match held.conn().driver() {
                Driver::Sqlite(_) if name.ends_with(".postgres.sql") => continue,
                Driver::Postgres(_) if name.ends_with(".sqlite.sql") => continue,
                Driver::Sqlite(c) => c.prepare(text).await.map(|_| ()),
                Driver::Postgres(c) => c.prepare(text).await.map(|_| ()),
            };
            outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
            prepared += 1;
        }
        assert!(prepared > 30, "only {prepared} files were found");
    }
}

/// Queues `count` writes that insert what `value` gives for their row as one group where the
/// database groups; inserting row 0 twice is what makes one bad.
async fn group<F, Fut>(t: &TestDb, value: F, count: i64) -> Vec<(i64, Result<(), DbError>)>
where
    F: Fn(i64) -> Fut,
    Fut: Future<Output = i64>,
{
    put(&t.db, 0, 0).await.expect("row 0");
    let (gate, held) = hold_writer(&t.db).await;
    let mut writes = Vec::new();
    for row in 1..count {
        let key = value(row).await;
        let db = t.db.clone();
        writes.push((row, tokio::spawn(async move { put(&db, key, row).await })));
    }
    tokio::task::yield_now().await;
    gate.notify_waiters();
    gate.notify_one();
    held.await.expect("runs").expect("writes");
    let mut outcomes = vec![(0, Ok(()))];
    for (row, write) in writes {
        outcomes.push((row, write.await.expect("runs")));
    }
    outcomes
}

#[tokio::test]
async fn a_group_keeps_the_order_in_which_it_was_queued() {
    on_sqlite(|t| async move {
        put(&t.db, 1, 0).await.expect("row 1");
        let (gate, held) = hold_writer(&t.db).await;
        let mut writes: Vec<_> = (0..600)
            .map(|before| {
                let db = t.db.clone();
                Box::pin(async move {
                    db.write(Store::Ledger, "step", move |conn| {
                        Box::pin(step(conn, before))
                    })
                    .await
                })
            })
            .collect();
        // One poll queues each write, in this order.
        std::future::poll_fn(|cx| {
            assert!(
                writes
                    .iter_mut()
                    .all(|write| write.as_mut().poll(cx).is_pending())
            );
            std::task::Poll::Ready(())
        })
        .await;
        gate.notify_one();
        held.await.expect("runs").expect("writes");
        for write in writes {
            write.await.expect("in order");
        }
        assert_eq!(rows(&t.db).await, [(1, 600)]);
    })
    .await;
}

#[tokio::test]
async fn a_lone_failure_runs_once_and_its_neighbours_run_twice() {
    on_sqlite(|t| async move {
        let runs = Arc::new(AtomicU32::new(0));
        let bad = |runs: Arc<AtomicU32>| {
            let db = t.db.clone();
            async move {
                db.write::<(), DbError, _>(Store::Ledger, "fail", move |_| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    Box::pin(async { Err(DbError::corrupt("fail", "on purpose")) })
                })
                .await
            }
        };
        bad(runs.clone()).await.expect_err("fails");
        assert_eq!(runs.load(Ordering::Relaxed), 1);

        let (gate, held) = hold_writer(&t.db).await;
        let mut pair = [bad(runs.clone()), bad(runs.clone())].map(Box::pin);
        std::future::poll_fn(|cx| {
            assert!(
                pair.iter_mut()
                    .all(|write| write.as_mut().poll(cx).is_pending())
            );
            std::task::Poll::Ready(())
        })
        .await;
        gate.notify_one();
        held.await.expect("runs").expect("writes");
        for write in pair {
            write.await.expect_err("fails");
        }
        assert_eq!(
            runs.load(Ordering::Relaxed),
            1 + 1 + 2,
            "one optimistic run, then one each"
        );
    })
    .await;
}

#[tokio::test]
async fn a_full_queue_is_a_typed_error_at_once() {
    on_sqlite(|t| async move {
        let (gate, held) = hold_writer(&t.db).await;
        let mut writes: Vec<_> = (0..QUEUE_MAX)
            .map(|row| Box::pin(put(&t.db, i64::try_from(row).expect("small"), 0)))
            .collect();
        std::future::poll_fn(|cx| {
            assert!(
                writes
                    .iter_mut()
                    .all(|write| write.as_mut().poll(cx).is_pending())
            );
            std::task::Poll::Ready(())
        })
        .await;
        let error = put(&t.db, -1, 0).await.expect_err("full");
        assert_eq!(error.kind(), DbErrorKind::QueueFull);
        assert!(
            error.is_transient() && error.to_string().contains("4096"),
            "{error}"
        );
        gate.notify_one();
        held.await.expect("runs").expect("writes");
        for write in writes {
            write.await.expect("what was queued is written");
        }
    })
    .await;
}

#[tokio::test]
async fn the_files_sync_as_promised_and_are_private() {
    on_sqlite(|t| async move {
        let folder = t.folder().expect("on SQLite");
        for (store, level) in [(Store::Ledger, 2), (Store::Telemetry, 1)] {
            let (send, receive) = oneshot::channel::<(i64, String)>();
            let send = Arc::new(parking_lot::Mutex::new(Some(send)));
            t.db.write::<(), DbError, _>(store, "look", move |conn| {
                let send = send.clone();
                Box::pin(async move {
                    let Driver::Sqlite(c) = conn.driver() else {
                        unreachable!("on SQLite")
                    };
                    let sync = sqlx::query("PRAGMA synchronous")
                        .fetch_one(&mut *c)
                        .await
                        .unwrap();
                    let mode = sqlx::query("PRAGMA journal_mode")
                        .fetch_one(&mut *c)
                        .await
                        .unwrap();
                    let found = (sync.get::<i64, _>(0), mode.get::<String, _>(0));
                    send.lock().take().unwrap().send(found).unwrap();
                    Ok(())
                })
            })
            .await
            .expect("looks");
            assert_eq!(receive.await.expect("found"), (level, "wal".to_owned()));
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let file = folder.join(format!("{}.db", store.name()));
                let mode = std::fs::metadata(file)
                    .expect("exists")
                    .permissions()
                    .mode();
                assert_eq!(mode & 0o777, 0o600);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_reader_cannot_write_to_a_file() {
    on_sqlite(|t| async move {
        let mut held =
            t.db.read(Store::Ledger, "try to write")
                .await
                .expect("a connection");
        let error = insert(&mut held.conn(), 1, 1).await.expect_err("refused");
        assert_eq!(error.kind(), DbErrorKind::Unavailable);
    })
    .await;
}

#[tokio::test]
async fn opening_what_is_not_a_database_says_so() {
    let folder = tempfile::TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("ledger.db"), [b'x'; 8_192]).expect("writes");
    let database = Database::Sqlite {
        folder: folder.path().to_owned(),
    };
    let clock = contract::clock::Clock::system();
    let error = Db::open(super::DbConfig { database, clock })
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), DbErrorKind::Corrupt, "{error:?}");
    assert!(error.to_string().contains("ledger.db"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_the_password_stays_secret() {
    let url = "postgres://user:s3cret@127.0.0.1:1/nowhere".to_owned();
    let config = super::DbConfig {
        database: Database::Postgres { url },
        clock: contract::clock::Clock::system(),
    };
    assert!(!format!("{config:?}").contains("s3cret"));
    let error = Db::open(config).await.expect_err("refused");
    assert_eq!(error.kind(), DbErrorKind::Unavailable);
    assert!(error.to_string().contains("127.0.0.1:1/nowhere"), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[test]
fn the_list_of_migrations_is_the_list_of_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for database in ["sqlite", "postgres"] {
        for store in [Store::Ledger, Store::Telemetry] {
            let files = files_below(&folder.join(database).join(store.name()));
            let files: Vec<_> = files.iter().map(|it| it.display().to_string()).collect();
            let known = super::migrations::known(store)
                .iter()
                .map(|it| format!("{}.sql", it.name));
            assert_eq!(
                files,
                known.collect::<Vec<_>>(),
                "{database} {}",
                store.name()
            );
        }
    }
}

/// Table, column and whether it may be null, sorted.
type Shape = Vec<(String, String, bool)>;

async fn shape(db: &Db, store: Store) -> Shape {
    const OF_SQLITE: &str = "SELECT m.name, c.name, c.\"notnull\" = 0
          FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
    const OF_POSTGRES: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT),
               is_nullable = 'YES'
          FROM information_schema.columns WHERE table_schema = 'public'";
    let mut held = db
        .read(store, "look at the schema")
        .await
        .expect("a connection");
    let mut conn = held.conn();
    let text = conn.text(super::Sql {
        sqlite: OF_SQLITE,
        postgres: OF_POSTGRES,
    });
    let mut shape = on_conn!(&mut conn, "look at the schema", c => {
        sqlx::query_as::<_, (String, String, bool)>(text).fetch_all(c).await
    })
    .expect("lists");
    shape.sort();
    shape
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_tables_and_columns() {
    static SQLITE: parking_lot::Mutex<Shape> = parking_lot::Mutex::new(Vec::new());
    on_sqlite(|t| async move {
        let mut both = shape(&t.db, Store::Ledger).await;
        both.extend(shape(&t.db, Store::Telemetry).await);
        both.sort();
        both.dedup();
        *SQLITE.lock() = both;
    })
    .await;
    super::testing::on_postgres(|t| async move {
        assert_eq!(shape(&t.db, Store::Ledger).await, *SQLITE.lock());
    })
    .await;
    assert!(SQLITE.lock().len() > 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_postgres_rolled_back_or_lost_is_run_again() {
    super::testing::on_postgres(|t| async move {
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        t.db.write::<(), DbError, _>(Store::Ledger, "lose the connection once", move |conn| {
            let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
            Box::pin(async move {
                if first {
                    // The server ends this very session, as it does when it restarts.
                    on_conn!(conn, "end the session", c => {
                        sqlx::query("SELECT pg_terminate_backend(pg_backend_pid())")
                            .execute(c)
                            .await
                            .map(|_| 0)
                    })?;
                }
                insert(conn, 1, 1).await
            })
        })
        .await
        .expect("the second attempt succeeds");
        assert_eq!(runs.load(Ordering::Relaxed), 2);
        assert_eq!(rows(&t.db).await, [(1, 1)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlocked_writes_both_succeed_on_postgres() {
    super::testing::on_postgres(|t| async move {
        put(&t.db, 1, 0).await.expect("row 1");
        put(&t.db, 2, 0).await.expect("row 2");
        let both_hold_one = Arc::new(tokio::sync::Barrier::new(2));
        let crossing = |first: i64, second: i64| {
            let (db, meet) = (t.db.clone(), both_hold_one.clone());
            let runs = Arc::new(AtomicU32::new(0));
            tokio::spawn(async move {
                db.write::<(), DbError, _>(Store::Ledger, "cross", move |conn| {
                    let (meet, run) = (meet.clone(), runs.fetch_add(1, Ordering::Relaxed));
                    Box::pin(async move {
                        bump(conn, first).await?;
                        if run == 0 {
                            meet.wait().await;
                        }
                        bump(conn, second).await
                    })
                })
                .await
            })
        };
        let (one, other) = (crossing(1, 2), crossing(2, 1));
        one.await.expect("runs").expect("succeeds");
        other.await.expect("runs").expect("succeeds");
        assert_eq!(rows(&t.db).await, [(1, 2), (2, 2)]);
    })
    .await;
}

async fn bump(conn: &mut Conn<'_>, row: i64) -> Result<(), DbError> {
    on_conn!(conn, "bump a row", c => {
        sqlx::query("UPDATE sync_probe SET at_us = at_us + 1 WHERE id = $1")
            .bind(row)
            .execute(c)
            .await
            .map(|_| ())
    })
}
