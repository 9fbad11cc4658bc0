//! What holds for the schema and the statements: twins agree, files are complete, versions fit.

use std::path::Path;

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use super::super::testing::{files_below, on_both_databases, on_postgres, on_sqlite};
use super::super::{Db, DbError, DbErrorKind, Driver, Sql, Store, migrations, on_conn};

on_both_databases! {
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

#[test]
fn the_list_of_migrations_is_the_list_of_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for database in ["sqlite", "postgres"] {
        for store in [Store::Ledger, Store::Telemetry] {
            let files = files_below(&folder.join(database).join(store.name()));
            let files: Vec<_> = files.iter().map(|it| it.display().to_string()).collect();
            let known = migrations::known(store)
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
    let text = conn.text(Sql {
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
    on_postgres(|t| async move {
        assert_eq!(shape(&t.db, Store::Ledger).await, *SQLITE.lock());
    })
    .await;
    assert!(SQLITE.lock().len() > 30);
}
