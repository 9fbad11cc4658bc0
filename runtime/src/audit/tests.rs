//! What the audit trail promises, on both databases.

use serde_json::json;

use super::{Entry, append, list};
use crate::db::testing::{TestDb, on_both_databases};
use crate::db::{DbError, Store};

async fn record(t: &TestDb, target: &str) -> Entry {
    let by = (&t.clock, &t.mint);
    let entry = Entry::new(by, "local", "service.create", target, json!({ "n": 1 }));
    let stored = entry.clone();
    t.db.write::<(), DbError, _>(Store::Ledger, "record", move |conn| {
        let stored = stored.clone();
        Box::pin(async move { append(conn, &stored).await })
    })
    .await
    .expect("records");
    entry
}

on_both_databases! {
    async fn pages_run_from_newest_to_oldest_and_end(t: TestDb) {
        let mut recorded = Vec::new();
        for number in 0..5 {
            recorded.push(record(&t, &format!("orders-{number}")).await);
        }
        recorded.reverse();

        let first = list(&t.db, 2, None).await.expect("lists");
        assert_eq!(first.entries, recorded[..2]);
        let second = list(&t.db, 2, first.next).await.expect("lists");
        assert_eq!(second.entries, recorded[2..4]);
        let third = list(&t.db, 2, second.next).await.expect("lists");
        assert_eq!(third.entries, recorded[4..]);
        assert_eq!(third.next, None);
    }

    async fn an_entry_is_undone_with_its_change(t: TestDb) {
        let entry = Entry::new((&t.clock, &t.mint), "local", "a.b", "c", json!({}));
        let outcome: Result<(), DbError> = t
            .db
            .write(Store::Ledger, "change", move |conn| {
                let entry = entry.clone();
                Box::pin(async move {
                    append(conn, &entry).await?;
                    Err(DbError::corrupt("change", "on purpose"))
                })
            })
            .await;
        outcome.expect_err("fails");
        assert_eq!(list(&t.db, 10, None).await.expect("lists").entries, []);
    }

    async fn an_oversized_detail_is_replaced(t: TestDb) {
        let detail = json!({ "text": "x".repeat(9_000) });
        let entry = Entry::new((&t.clock, &t.mint), "local", "a.b", "c", detail);
        assert_eq!(entry.detail, json!({ "_truncated": true }));
    }
}
