//! The SQLite writer: order, limits, and who runs again when one of a group fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::testing::on_sqlite;
use super::super::writer::QUEUE_MAX;
use super::super::{Conn, DbError, DbErrorKind, Store, on_conn};
use super::{hold_writer, put, rows};

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
async fn closing_writes_what_is_queued() {
    on_sqlite(|t| async move {
        let (gate, held) = hold_writer(&t.db).await;
        let mut writes: Vec<_> = (0..500).map(|row| Box::pin(put(&t.db, row, row))).collect();
        let mut close = Box::pin(t.db.close());
        std::future::poll_fn(|cx| {
            assert!(
                writes
                    .iter_mut()
                    .all(|write| write.as_mut().poll(cx).is_pending())
            );
            assert!(close.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        gate.notify_one();
        close.await;
        held.await.expect("runs").expect("was finished");
        for write in writes {
            write.await.expect("was written");
        }
        let again = t.reopen().await.expect("opens");
        assert_eq!(rows(&again).await.len(), 500);
        again.close().await;
    })
    .await;
}
