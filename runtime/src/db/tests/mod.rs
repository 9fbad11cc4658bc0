//! What the store promises, on both databases.

mod grouping;
mod recovery;
mod schema;
mod slices;
mod upgrade;
mod writes;

use std::sync::Arc;

use tokio::sync::Notify;

use super::{Conn, Db, DbError, Store, on_conn};

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
