//! Slices of history: adding, dropping, crashes in between, other processes.

use super::super::testing::{files_below, on_both_databases, on_sqlite};
use super::super::{Conn, Db, DbError, DbErrorKind, History, Slice, on_conn};

/// Writes on a slice, touching nothing: it is enough to see whether it can be written.
async fn write(db: &Db, history: History, slice: i64) -> Result<(), DbError> {
    db.write_slice(history, slice, "write on a slice", |conn| {
        Box::pin(async move { ping(conn).await })
    })
    .await
}

async fn read(db: &Db, history: History, slice: i64) -> Result<(), DbError> {
    let mut held = db.read_slice(history, slice, "read a slice").await?;
    ping(&mut held.conn()).await
}

async fn ping(conn: &mut Conn<'_>) -> Result<(), DbError> {
    on_conn!(conn, "count migrations", c => {
        sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM schema_migrations")
            .fetch_one(c)
            .await
            .map(|found| assert!(found > 0))
    })
}

fn ids(db: &Db, history: History) -> Vec<i64> {
    db.slices(history).iter().map(|it| it.id).collect()
}

on_both_databases! {
    async fn every_kind_starts_with_one_slice_that_begins_now(t: TestDb) {
        let now_ms = t.clock.now().as_millis();
        for history in History::ALL {
            let slices = t.db.slices(history);
            let [Slice { id: 1, from_ms }] = *slices else { panic!("{slices:?}") };
            assert!((now_ms - 60_000..=now_ms).contains(&from_ms));
            write(&t.db, history, 1).await.expect("writes");
            read(&t.db, history, 1).await.expect("reads");
        }
    }

    async fn slices_are_added_in_order_kept_over_a_restart_and_dropped(t: TestDb) {
        for from_ms in [9_000_000_000_000, 5_000, 7_000] {
            t.db.add_slice(History::Logs, from_ms).await.expect("adds");
        }
        assert_eq!(ids(&t.db, History::Logs), [1, 2, 3, 4]);
        assert_eq!(ids(&t.db, History::Ops), [1], "kinds are apart");
        let before = t.db.slices(History::Logs);
        write(&t.db, History::Logs, 2).await.expect("writes");
        assert!(t.db.slice_bytes(History::Logs, 5).await.expect("measures") == 0);

        t.db.drop_slice(History::Logs, 2).await.expect("drops");
        t.db.drop_slice(History::Logs, 2).await.expect("is gone already");
        let again = t.reopen().await.expect("opens");
        assert_eq!(ids(&again, History::Logs), [1, 3, 4]);
        assert_eq!(again.slices(History::Logs)[1..], before[2..]);
        assert_eq!(again.add_slice(History::Logs, 8_000).await.expect("adds"), 5);
        again.close().await;
    }

    async fn a_dropped_slice_is_gone_for_readers_and_writers(t: TestDb) {
        t.db.add_slice(History::Ops, 1).await.expect("adds");
        write(&t.db, History::Ops, 1).await.expect("writes");
        let mut reader = t.db.read_slice(History::Ops, 1, "hold").await.expect("reads");
        ping(&mut reader.conn()).await.expect("reads");
        t.db.drop_slice(History::Ops, 1).await.expect("drops");
        ping(&mut reader.conn()).await.expect("who is reading finishes");
        for error in [
            write(&t.db, History::Ops, 1).await.expect_err("gone"),
            read(&t.db, History::Ops, 1).await.expect_err("gone"),
            read(&t.db, History::Ops, 77).await.expect_err("was never there"),
        ] {
            assert!(error.is_gone() && error.to_string().contains("of ops has been dropped"), "{error}");
        }
        write(&t.db, History::Ops, 2).await.expect("the others go on");
    }

    async fn the_newest_slice_is_never_dropped(t: TestDb) {
        let error = t.db.drop_slice(History::Metrics, 1).await.expect_err("refused");
        assert_eq!(error.kind(), DbErrorKind::Other);
        assert_eq!(ids(&t.db, History::Metrics), [1]);
    }

    async fn what_another_process_adds_and_drops_is_seen(t: TestDb) {
        let other = t.reopen().await.expect("opens");
        assert_eq!(other.add_slice(History::Ops, 5).await.expect("adds"), 2);
        write(&t.db, History::Ops, 2).await.expect("is looked up");
        assert_eq!(other.add_slice(History::Ops, 6).await.expect("adds"), 3);
        other.drop_slice(History::Ops, 1).await.expect("drops");
        t.db.refresh_slices().await.expect("looks");
        assert_eq!(ids(&t.db, History::Ops), [2, 3]);
        read(&t.db, History::Ops, 1).await.expect_err("gone");
        other.close().await;
    }

    async fn two_processes_that_add_at_once_agree(t: TestDb) {
        let other = t.reopen().await.expect("opens");
        let now_ms = t.clock.now().as_millis();
        let add = |db: Db| tokio::spawn(async move { db.add_slice(History::Ops, now_ms).await });
        let both = [add(t.db.clone()), add(other.clone())];
        for one in both {
            one.await.expect("runs").expect("adds");
        }
        for db in [&t.db, &other] {
            db.refresh_slices().await.expect("looks");
            let newest = db.slices(History::Ops).last().copied().expect("one");
            write(db, History::Ops, newest.id).await.expect("writes");
        }
        assert_eq!(t.db.slices(History::Ops), other.slices(History::Ops));
        other.close().await;
    }

    async fn a_closed_database_opens_no_slice_again(t: TestDb) {
        write(&t.db, History::Ops, 1).await.expect("writes");
        t.db.close().await;
        for error in [
            write(&t.db, History::Ops, 1).await.expect_err("closed"),
            read(&t.db, History::Logs, 1).await.expect_err("closed"),
        ] {
            assert_eq!(error.kind(), DbErrorKind::Unavailable);
        }
    }

    async fn more_slices_than_may_be_open_can_all_be_used(t: TestDb) {
        for from_ms in 0..19 {
            t.db.add_slice(History::Payloads, from_ms).await.expect("adds");
        }
        let users: Vec<_> = (1..=20)
            .chain((1..=20).rev())
            .map(|id| {
                let db = t.db.clone();
                tokio::spawn(async move {
                    write(&db, History::Payloads, id).await?;
                    read(&db, History::Payloads, id).await
                })
            })
            .collect();
        for user in users {
            user.await.expect("runs").expect("writes and reads");
        }
    }

    async fn slices_dropped_under_their_users_fail_as_gone_or_not_at_all(t: TestDb) {
        for round in 0..5 {
            let newest = t.db.add_slice(History::Ops, round).await.expect("adds");
            let users: Vec<_> = (0..16)
                .map(|user| {
                    let db = t.db.clone();
                    tokio::spawn(async move {
                        if user % 2 == 0 {
                            write(&db, History::Ops, newest - 1).await
                        } else {
                            read(&db, History::Ops, newest - 1).await
                        }
                    })
                })
                .collect();
            t.db.drop_slice(History::Ops, newest - 1).await.expect("drops");
            for user in users {
                if let Err(error) = user.await.expect("runs") {
                    assert!(error.is_gone(), "{error:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_crash_while_a_file_was_made_or_dropped_is_mended() {
    on_sqlite(|t| async move {
        let folder = t.folder().expect("on SQLite").join("telemetry");
        t.db.add_slice(History::Ops, 50).await.expect("adds");
        // Created, but the crash came before its schema.
        std::fs::write(folder.join("ops-00000003-60.db"), b"").expect("writes");
        // Dropped, but the crash came before its log went.
        std::fs::write(folder.join("ops-00000009-1.db-wal"), b"left").expect("writes");
        // No database at all.
        std::fs::write(folder.join("ops-00000004-70.db"), [b'x'; 8_192]).expect("writes");
        std::fs::write(folder.join("notes.txt"), b"not ours").expect("writes");

        let again = t.reopen().await.expect("opens");
        assert_eq!(ids(&again, History::Ops), [1, 2, 3]);
        assert_eq!(again.slices(History::Ops)[2], Slice { id: 3, from_ms: 60 });
        write(&again, History::Ops, 3)
            .await
            .expect("has its schema");
        let files = files_below(&folder);
        let has = |name: &str| files.iter().any(|it| it.ends_with(name));
        assert!(has("ops-00000004-70.db.damaged") && has("notes.txt"));
        assert!(!has("ops-00000004-70.db") && !has("ops-00000009-1.db-wal"));
        again.close().await;
    })
    .await;
}

#[tokio::test]
async fn dropping_a_slice_removes_its_files_and_they_are_private() {
    on_sqlite(|t| async move {
        let folder = t.folder().expect("on SQLite").join("telemetry");
        t.db.add_slice(History::Ops, 50).await.expect("adds");
        write(&t.db, History::Ops, 1).await.expect("writes");
        let of_first = || {
            let files = files_below(&folder);
            let names = files.iter().map(|it| it.display().to_string());
            names.filter(|it| it.starts_with("ops-00000001")).count()
        };
        assert!(of_first() > 0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &std::path::Path| {
                let meta = std::fs::metadata(path).expect("exists");
                meta.permissions().mode() & 0o777
            };
            assert_eq!(mode(&folder), 0o700);
            let file = files_below(&folder).remove(0);
            assert_eq!(mode(&folder.join(file)), 0o600);
        }
        let bytes = t.db.slice_bytes(History::Ops, 1).await.expect("measures");
        let before = t.db.describe().await.expect("describes").stores[1].bytes;
        t.db.drop_slice(History::Ops, 1).await.expect("drops");
        assert_eq!(of_first(), 0);
        let after = t.db.describe().await.expect("describes").stores[1].bytes;
        assert_eq!(before - after, bytes, "what it took is free again");
    })
    .await;
}
