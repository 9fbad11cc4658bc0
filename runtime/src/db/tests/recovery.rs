//! What each database does on its own: files and their modes, servers that are away or say no.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::Row;
use tokio::sync::oneshot;

use super::super::testing::{on_postgres, on_sqlite};
use super::super::{Conn, Database, Db, DbConfig, DbError, DbErrorKind, Driver, Store, on_conn};
use super::{insert, put, rows};

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
    let error = Db::open(DbConfig { database, clock })
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), DbErrorKind::Corrupt, "{error:?}");
    assert!(error.to_string().contains("ledger.db"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_the_password_stays_secret() {
    let url = "postgres://user:s3cret@127.0.0.1:1/nowhere".to_owned();
    let config = DbConfig {
        database: Database::Postgres { url },
        clock: contract::clock::Clock::system(),
    };
    assert!(!format!("{config:?}").contains("s3cret"));
    let error = Db::open(config).await.expect_err("refused");
    assert_eq!(error.kind(), DbErrorKind::Unavailable);
    assert!(error.to_string().contains("127.0.0.1:1/nowhere"), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_postgres_rolled_back_or_lost_is_run_again() {
    on_postgres(|t| async move {
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
    on_postgres(|t| async move {
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
