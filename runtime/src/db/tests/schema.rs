//! What holds for the schema and the statements: twins agree, files are complete, versions fit.

use std::path::Path;

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use super::super::testing::{files_below, on_both_databases, on_postgres, on_sqlite};
use super::super::{Db, DbError, DbErrorKind, Driver, History, ReadConn, Sql, Store, on_conn};

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
        let newest = Store::Ledger.schema().known.last().expect("has migrations").name;
        assert!(text.contains("`9999_future`") && text.contains(newest), "{text}");
    }

    async fn every_statement_file_prepares(t: TestDb) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
        let mut prepared = 0;
        for file in files_below(&folder) {
            let name = file.display().to_string();
            // Transaction starts are sent as they are: PostgreSQL's are two statements at once.
            if name.starts_with("db/begin_") || name.ends_with(".template.sql") {
                continue;
            }
            let text = std::fs::read_to_string(folder.join(&file)).expect("reads");
            let mut held = held_for(&t.db, &name).await;
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

#[tokio::test]
async fn statements_about_operations_never_go_through_a_whole_slice() {
    on_sqlite(|t| async move {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/telemetry");
        let mut explained = 0;
        for file in files_below(&folder) {
            let name = file.display().to_string();
            if name.ends_with(".postgres.sql") {
                continue;
            }
            let statement = std::fs::read_to_string(folder.join(&file)).expect("reads");
            let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let mut held = held_for(&t.db, "telemetry/").await;
            let mut conn = held.conn();
            let Driver::Sqlite(c) = conn.driver() else {
                unreachable!("on SQLite")
            };
            let steps: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(text).fetch_all(c).await.expect("explains");
            for (.., step) in steps {
                let words: Vec<&str> = step.split(' ').collect();
                let of_table = words
                    .get(1)
                    .is_some_and(|it| ["ops", "traces", "texts", "root", "running"].contains(it));
                let is_whole = words[0] == "SCAN" || step.ends_with("(slice=?)");
                assert!(!(of_table && is_whole), "{name}: {step}");
            }
            explained += 1;
        }
        assert!(explained > 12, "only {explained} files were found");
    })
    .await;
}

/// A connection to where a statement's tables are: `telemetry_logs/` is about the logs.
async fn held_for(db: &Db, name: &str) -> ReadConn {
    let folder = name.split('/').next().unwrap_or_default();
    let history = match folder.strip_prefix("telemetry") {
        None => {
            let store = match folder {
                "foreign" => Store::Telemetry,
                _ => Store::Ledger,
            };
            let held = db.read(store, "prepare").await;
            return held.expect("a connection");
        }
        Some("") => History::Ops,
        Some(kind) => History::ALL
            .into_iter()
            .find(|it| kind.strip_prefix('_') == Some(it.name()))
            .expect("a folder of a kind of history"),
    };
    let slice = db.slices(history)[0].id;
    let held = db.read_slice(history, slice, "prepare").await;
    held.expect("a connection")
}

#[test]
fn the_list_of_migrations_is_the_list_of_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for database in ["sqlite", "postgres"] {
        let schemas = [Store::Ledger, Store::Telemetry].map(Store::schema);
        for schema in schemas.into_iter().chain(History::ALL.map(History::schema)) {
            let files = files_below(&folder.join(database).join(schema.name));
            let files: Vec<_> = files.iter().map(|it| it.display().to_string()).collect();
            let known = schema.known.iter().map(|it| format!("{}.sql", it.name));
            assert_eq!(
                files,
                known.collect::<Vec<_>>(),
                "{database} {}",
                schema.name
            );
        }
    }
}

/// Table, column and whether it may be null, sorted.
type Shape = Vec<(String, String, bool)>;

/// Without SQLite's own tables, those that full-text search keeps its words in, the partitions,
/// and the catalog of slices, which is a folder on SQLite.
async fn shape(mut held: ReadConn) -> Shape {
    const OF_SQLITE: &str = "SELECT m.name, c.name, c.\"notnull\" = 0
          FROM pragma_table_list AS m, pragma_table_info(m.name) AS c
         WHERE m.schema = 'main' AND m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
    const OF_POSTGRES: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT),
               is_nullable = 'YES'
          FROM information_schema.columns
         WHERE table_schema = 'public'
           AND table_name NOT IN ('slices', 'slice_tables')
           AND table_name NOT IN (SELECT CAST(CAST(inhrelid AS regclass) AS TEXT) FROM pg_inherits)";
    let mut conn = held.conn();
    let text = conn.text(Sql {
        sqlite: OF_SQLITE,
        postgres: OF_POSTGRES,
    });
    on_conn!(&mut conn, "look at the schema", c => {
        sqlx::query_as::<_, (String, String, bool)>(text).fetch_all(c).await
    })
    .expect("lists")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_tables_and_columns() {
    static SQLITE: parking_lot::Mutex<Shape> = parking_lot::Mutex::new(Vec::new());
    on_sqlite(|t| async move {
        let mut all = Vec::new();
        for store in [Store::Ledger, Store::Telemetry] {
            all.extend(shape(t.db.read(store, "look").await.expect("a connection")).await);
        }
        for history in History::ALL {
            let slice = t.db.slices(history)[0].id;
            let held = t.db.read_slice(history, slice, "look").await;
            all.extend(shape(held.expect("a connection")).await);
        }
        all.sort();
        all.dedup();
        *SQLITE.lock() = all;
    })
    .await;
    on_postgres(|t| async move {
        let held =
            t.db.read(Store::Ledger, "look")
                .await
                .expect("a connection");
        let mut all = shape(held).await;
        all.sort();
        assert_eq!(all, *SQLITE.lock());
    })
    .await;
    assert!(SQLITE.lock().len() > 30);
}
