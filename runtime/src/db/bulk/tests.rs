//! What goes out of one database comes back in any other.

use tokio::sync::mpsc;

use super::tables::{all, newest_schemas};
use super::{Column, Filling, Place, RowSink, decode_rows};
use crate::db::history::{History, Slice};
use crate::db::testing::{on_both_databases, on_sqlite};
use crate::db::{Database, Db, DbConfig, DbError, DbErrorKind, Store, on_conn};

struct Kept(Vec<u8>);

impl RowSink for Kept {
    async fn rows(&mut self, _: u32, encoded: &[u8]) -> bool {
        self.0.extend_from_slice(encoded);
        true
    }
}

/// Every table with its columns and its rows, of a place.
async fn everything(db: &Db, place: Place) -> Vec<(String, Vec<Column>, Vec<super::Row>)> {
    let mut snapshot = db.snapshot().await.expect("begins");
    let mut view = snapshot.view(place).await.expect("is there");
    let mut found = Vec::new();
    for (table, columns) in view.tables().await.expect("lists") {
        let mut kept = Kept(Vec::new());
        let whole = view.copy_out(table, &columns, &mut kept).await;
        assert!(whole.expect("reads"));
        let mut rows = decode_rows(&kept.0, columns.len()).expect("decodes");
        rows.sort_by_key(|row| format!("{row:?}"));
        found.push((table.to_owned(), columns, rows));
    }
    found
}

async fn write(db: &Db, store: Store, statement: &'static str) {
    let done = db.write::<(), DbError, _>(store, "write a row", move |conn| {
        Box::pin(async move {
            on_conn!(conn, "write a row", c => sqlx::query(statement).execute(c).await.map(|_| ()))
        })
    });
    done.await.expect("writes");
}

/// A ledger with a parent and a child, and bytes and blanks of every kind.
async fn fill_ledger(db: &Db) {
    for statement in [
        "INSERT INTO services (id, name, status, created_at_us) VALUES ('s1', 'é''\"', 'active', -5)",
        "INSERT INTO settings (key, value, updated_at_us) VALUES ('a.b', '', 9223372036854775807)",
        "INSERT INTO audit (id, at_us, actor, action, target, detail_json) VALUES ('1', 1, 'a', 'b', 'c', '{}')",
        "INSERT INTO sync_probe (id, at_us) VALUES (1, 2)",
    ] {
        write(db, Store::Ledger, statement).await;
    }
    let done = db.write::<(), DbError, _>(Store::Ledger, "write a key", |conn| {
        Box::pin(async move {
            on_conn!(conn, "write a key", c => {
                sqlx::query("INSERT INTO service_keys (key_id, service_id, secret_hash, created_at_us) VALUES ($1, 's1', 'slow', 1)")
                    .bind(&b"\0\xff"[..])
                    .execute(c)
                    .await
                    .map(|_| ())
            })
        })
    });
    done.await.expect("writes");
}

async fn fill_from(filling: &mut Filling, db: &Db, place: Place) {
    filling.turn_to(place).await.expect("turns");
    for (table, columns, rows) in everything(db, place).await {
        filling
            .insert(&table, &columns, &rows)
            .await
            .expect("fills");
    }
}

on_both_databases! {
    async fn the_tables_of_the_migrations_are_those_of_the_database(t: TestDb) {
        let mut places = vec![Place::Store(Store::Ledger), Place::Store(Store::Telemetry)];
        places.extend(History::ALL.map(|it| Place::Slice(it, t.db.slices(it)[0])));
        for place in places {
            let mut snapshot = t.db.snapshot().await.expect("begins");
            let mut view = snapshot.view(place).await.expect("is there");
            for (table, columns) in view.tables().await.expect("every table is there") {
                assert!(columns.len() > 1, "{table}");
            }
        }
        assert!(all(Store::Ledger.schema()).len() > 5);
    }

    async fn while_everything_is_read_a_drop_holds_no_writer_up(t: TestDb) {
        let newest = t.db.add_slice(History::Logs, 1).await.expect("adds");
        let mut snapshot = t.db.snapshot().await.expect("begins");
        let place = Place::Slice(History::Logs, t.db.slices(History::Logs)[0]);
        let mut view = snapshot.view(place).await.expect("is there");
        for (table, columns) in view.tables().await.expect("lists") {
            view.copy_out(table, &columns, &mut Kept(Vec::new())).await.expect("reads");
        }
        let dropped = t.db.drop_slice(History::Logs, newest - 1).await;
        if t.db.is_shared() {
            let error = dropped.expect_err("would wait, and writers behind it");
            assert_eq!(error.kind(), DbErrorKind::Unavailable);
            assert!(error.to_string().contains("a backup is being taken"), "{error}");
            assert!(!t.db.may_drop_slices());
        } else {
            dropped.expect("readers go on by themselves");
        }
        drop(snapshot);
        assert!(t.db.may_drop_slices());
        // The connection that read is closed in the background; its locks go with it.
        let mut tries = 0..5;
        while let Err(error) = t.db.drop_slice(History::Logs, newest - 1).await {
            tries.next().unwrap_or_else(|| panic!("{error}"));
        }
    }

    async fn a_snapshot_does_not_see_what_is_committed_after_it(t: TestDb) {
        fill_ledger(&t.db).await;
        let mut snapshot = t.db.snapshot().await.expect("begins");
        let mut view = snapshot.view(Place::Store(Store::Ledger)).await.expect("is there");
        let tables = view.tables().await.expect("lists");
        let settings = tables.iter().find(|it| it.0 == "settings").expect("is there");
        write(&t.db, Store::Ledger, "INSERT INTO settings (key, value, updated_at_us) VALUES ('late', '', 0)").await;
        let mut kept = Kept(Vec::new());
        view.copy_out(settings.0, &settings.1, &mut kept).await.expect("reads");
        let rows = decode_rows(&kept.0, settings.1.len()).expect("decodes");
        assert_eq!(rows.len(), 1);
        drop(snapshot);
        // The connection went with its transaction: the pool gives others, and all of them.
        for _ in 0..20 {
            let held = t.db.read(Store::Ledger, "read again").await;
            held.expect("a connection");
        }
    }

    async fn rows_go_into_sqlite_as_they_were(t: TestDb) {
        fill_ledger(&t.db).await;
        let folder = tempfile::TempDir::new().expect("a folder");
        let database = Database::Sqlite { folder: folder.path().to_owned() };
        let place = Place::Store(Store::Ledger);
        let begun = Filling::begin(&database, &t.clock, &newest_schemas()).await;
        let mut filling = begun.expect("begins");
        fill_from(&mut filling, &t.db, place).await;
        assert!(filling.turn_to(place).await.is_err(), "it comes twice");
        filling.finish().await.expect("finishes");
        let db = Db::open(DbConfig { database, clock: t.clock.clone() }).await.expect("opens");
        let (before, after) = (everything(&t.db, place).await, everything(&db, place).await);
        assert_eq!(before, after);
        assert!(before.iter().any(|it| it.0 == "service_keys" && it.2.len() == 1), "{before:?}");
        assert!(before.iter().all(|it| it.0 != "sync_probe"), "left out");
        db.close().await;
    }

    async fn a_reader_that_goes_away_ends_the_reading(t: TestDb) {
        fill_ledger(&t.db).await;
        let (send, gone) = mpsc::channel::<()>(1);
        drop(gone);
        struct Gone(mpsc::Sender<()>);
        impl RowSink for Gone {
            async fn rows(&mut self, _: u32, _: &[u8]) -> bool {
                self.0.send(()).await.is_ok()
            }
        }
        let mut snapshot = t.db.snapshot().await.expect("begins");
        let mut view = snapshot.view(Place::Store(Store::Ledger)).await.expect("is there");
        let tables = view.tables().await.expect("lists");
        let services = tables.iter().find(|it| it.0 == "services").expect("is there");
        let whole = view.copy_out(services.0, &services.1, &mut Gone(send)).await;
        assert!(!whole.expect("no error"));
    }

    async fn a_store_that_a_newer_binary_added_to_is_not_read_in_parts(t: TestDb) {
        write(&t.db, Store::Ledger,
            "INSERT INTO schema_migrations (store, name, checksum, applied_at_us)
             VALUES ('ledger', '0999_future', '', 0)").await;
        let mut snapshot = t.db.snapshot().await.expect("begins");
        let error = snapshot.view(Place::Store(Store::Ledger)).await.expect_err("refused");
        assert_eq!(error.kind(), DbErrorKind::Schema);
        assert!(error.to_string().contains("`0999_future`"), "{error}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    on_sqlite(|t| async move {
        let folder = tempfile::TempDir::new().expect("a folder");
        let database = Database::Sqlite {
            folder: folder.path().to_owned(),
        };
        let mut future = newest_schemas();
        future.insert("ledger".to_owned(), "0999_future".to_owned());
        let error = Filling::begin(&database, &t.clock, &future).await;
        let error = error.expect_err("unknown");
        assert!(error.to_string().contains("`0999_future`"), "{error}");

        let begun = Filling::begin(&database, &t.clock, &newest_schemas()).await;
        let mut filling = begun.expect("begins");
        let slice = Slice { id: 7, from_ms: 9 };
        let turned = filling.turn_to(Place::Slice(History::Logs, slice)).await;
        turned.expect("makes the slice");
        let column = |name: &str, kind| Column {
            name: name.to_owned(),
            kind,
        };
        let id = [column("id", super::Kind::Integer)];
        let text = vec![super::Value::Text("x".to_owned())];
        assert!(
            filling
                .insert("logs", &id, std::slice::from_ref(&text))
                .await
                .is_err()
        );
        assert!(filling.insert("logs", &id, &[vec![]]).await.is_err());
        let nobody = [column("nobody", super::Kind::Text)];
        assert!(
            filling
                .insert("logs", &nobody, std::slice::from_ref(&text))
                .await
                .is_err()
        );
        assert!(filling.insert("no_table", &nobody, &[text]).await.is_err());
    })
    .await;
}
