//! One write: all or nothing, its errors, and what becomes of it when its caller leaves.

use super::super::testing::{TestDb, on_both_databases};
use super::super::{DbError, DbErrorKind, Store};
use super::{hold_writer, insert, put, rows};

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

    async fn closing_finishes_what_has_begun_and_refuses_the_rest(t: TestDb) {
        let (gate, held) = hold_writer(&t.db).await;
        let mut close = Box::pin(t.db.close());
        std::future::poll_fn(|cx| {
            assert!(close.as_mut().poll(cx).is_pending(), "a write is still running");
            std::task::Poll::Ready(())
        })
        .await;
        gate.notify_one();
        close.await;
        held.await.expect("runs").expect("was finished");
        let error = put(&t.db, 1, 1).await.expect_err("refused");
        assert_eq!(error.kind(), DbErrorKind::Unavailable);
    }

    async fn doctor_can_describe_it_and_time_a_commit(t: TestDb) {
        let described = t.db.describe().await.expect("describes");
        assert_eq!(described.stores.len(), 2);
        assert!(described.stores.iter().all(|it| it.bytes > 0));
        for store in &described.stores {
            let newest = store.store.schema().known.last().expect("has migrations");
            assert_eq!(store.schema, newest.name);
        }
        assert!(!described.version.is_empty());
        assert!(!t.db.sync_probe().await.expect("measures").is_zero());
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
