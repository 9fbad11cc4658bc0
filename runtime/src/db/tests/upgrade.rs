//! Going to a newer binary and back: what a migration may do, and what the binary before makes of it.

use std::path::Path;

use sqlx::ConnectOptions as _;

use super::super::bulk::{Filling, Place, Schemas, newest_schemas};
use super::super::migrations::{BREAKS, Schema};
use super::super::opener::Opener;
use super::super::sqlite::migrate_alone;
use super::super::testing::{on_empty_postgres, on_sqlite};
use super::super::{Database, Db, DbConfig, History, Store};
use contract::clock::Clock;

/// From before the first release: nobody has a store without it.
const BEFORE_FIRST_RELEASE: [&str; 1] = ["0002_slices"];

fn schemas() -> Vec<Schema> {
    let stores = [Store::Ledger, Store::Telemetry].map(Store::schema);
    let histories = History::ALL.map(History::schema);
    stores.into_iter().chain(histories).collect()
}

/// What an older binary would trip over, in a migration's text.
fn takes_away(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .map(|it| it.split("--").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join("\n").to_ascii_uppercase();
    // What is between the quotes of a function is run later, by code that knows it.
    let code: String = code.split("$$").step_by(2).collect();
    let mut found = Vec::new();
    for statement in code.split(';') {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let has = |wanted: &str| words.join(" ").contains(wanted);
        let begins = |wanted: &str| words.join(" ").starts_with(wanted);
        let adds_column = begins("ALTER TABLE") && has(" ADD ");
        let bad = begins("DROP ")
            || begins("DELETE ")
            || begins("UPDATE ")
            || begins("TRUNCATE ")
            || begins("CREATE TRIGGER")
            || begins("CREATE UNIQUE INDEX")
            || (begins("ALTER ") && !adds_column)
            || (adds_column && has("NOT NULL") && !has("DEFAULT"))
            || (adds_column && (has("UNIQUE") || has("CHECK") || has("PRIMARY KEY")));
        if bad {
            found.push(words.join(" "));
        }
    }
    found
}

#[test]
fn a_migration_takes_nothing_away_unless_its_name_says_so() {
    let mut looked_at = 0;
    for schema in schemas() {
        // The first makes what there is, so there is nobody before it.
        for migration in schema.known.iter().skip(1) {
            looked_at += 1;
            let said = migration.name.ends_with(BREAKS);
            let excused = BEFORE_FIRST_RELEASE.contains(&migration.name);
            for text in [migration.sqlite, migration.postgres] {
                let found = takes_away(text);
                assert!(
                    found.is_empty() || said || excused,
                    "{} {} does {found:?}, which the binary before cannot work with: only add, or \
                     end its name with `{BREAKS}`",
                    schema.name,
                    migration.name
                );
            }
        }
    }
    assert!(looked_at > 1);
}

#[test]
fn what_takes_something_away_is_recognised() {
    for text in [
        "DROP TABLE a;",
        "ALTER TABLE a DROP COLUMN b",
        "ALTER TABLE a RENAME TO b",
        "ALTER TABLE a ADD COLUMN b TEXT NOT NULL",
        "alter table a add column b text unique",
        "UPDATE a SET b = 1",
        "CREATE UNIQUE INDEX a ON b (c)",
        "-- DROP\nDELETE FROM a",
    ] {
        assert!(!takes_away(text).is_empty(), "{text}");
    }
    for text in [
        "CREATE TABLE a (b TEXT NOT NULL UNIQUE); -- DROP TABLE c",
        "ALTER TABLE a ADD COLUMN b TEXT",
        "ALTER TABLE a ADD COLUMN b BIGINT NOT NULL DEFAULT 0",
        "CREATE INDEX a ON b (c)",
        "CREATE FUNCTION a() RETURNS VOID AS $$ DELETE FROM b; $$",
    ] {
        assert_eq!(takes_away(text), Vec::<String>::new(), "{text}");
    }
}

/// The schemas of the binary before: each list without its newest migration, where it has more.
fn schemas_before() -> Schemas {
    let mut before = newest_schemas();
    for schema in schemas() {
        if let [.., last, _] = schema.known {
            before.insert(schema.name.to_owned(), last.name.to_owned());
        }
    }
    before
}

/// Table, column, and whether a row needs a value for it.
type Shape = Vec<(String, String, bool)>;

/// Makes what the binary before would make, and says what it looks like there and after an upgrade.
async fn upgraded(database: &Database) -> (Shape, Shape) {
    let clock = Clock::system();
    let begun = Filling::begin(database, &clock, &schemas_before()).await;
    let mut filling = begun.expect("makes the schema of the binary before");
    for store in [Store::Ledger, Store::Telemetry] {
        let turned = filling.turn_to(Place::Store(store)).await;
        turned.expect("makes the store");
    }
    filling.finish().await.expect("finishes");
    let before = shape(database).await;
    let config = DbConfig {
        database: database.clone(),
        clock,
    };
    let db = Db::open(config).await.expect("migrates what is left");
    db.close().await;
    (before, shape(database).await)
}

/// What there is, without opening it as a store, which would migrate it.
async fn shape(database: &Database) -> Shape {
    const OF_SQLITE: &str = "SELECT m.name, c.name, c.\"notnull\" = 1 AND c.dflt_value IS NULL
          FROM pragma_table_list AS m, pragma_table_info(m.name) AS c
         WHERE m.schema = 'main' AND m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
    const OF_POSTGRES: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT),
               is_nullable = 'NO' AND column_default IS NULL
          FROM information_schema.columns WHERE table_schema = 'public'";
    let mut all = Vec::new();
    match database {
        Database::Sqlite { folder } => {
            for name in ["ledger.db", "telemetry.db"] {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join(name));
                let mut conn = options.connect().await.expect("opens");
                let found = sqlx::query_as(OF_SQLITE).fetch_all(&mut conn).await;
                all.extend::<Shape>(found.expect("lists"));
            }
        }
        Database::Postgres { url } => {
            let options: sqlx::postgres::PgConnectOptions = url.parse().expect("an address");
            let mut conn = options.connect().await.expect("connects");
            let found = sqlx::query_as(OF_POSTGRES).fetch_all(&mut conn).await;
            all.extend::<Shape>(found.expect("lists"));
        }
    }
    all
}

fn check_only_added(before: &Shape, after: &Shape) {
    assert!(before.len() > 10 && after.len() > before.len());
    for (table, column, _) in before {
        let kept = after.iter().any(|it| (&it.0, &it.1) == (table, column));
        assert!(kept, "{table}.{column} is gone");
    }
    for (table, column, needed) in after {
        let old_table = before.iter().any(|it| it.0 == *table);
        let old = before.iter().find(|it| (&it.0, &it.1) == (table, column));
        let was_needed = old.is_some_and(|it| it.2);
        assert!(
            !old_table || !needed || was_needed,
            "{table}.{column} needs a value now"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_only_adds_to_what_the_binary_before_made() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let database = Database::Sqlite {
        folder: folder.path().to_owned(),
    };
    let (before, after) = upgraded(&database).await;
    check_only_added(&before, &after);
    on_empty_postgres(|url| async move {
        let (before, after) = upgraded(&Database::Postgres { url }).await;
        check_only_added(&before, &after);
    })
    .await;
}

/// Opens a file as a binary would that knows `schema` and nothing newer.
async fn open_with(path: &Path, schema: Schema) -> Result<&'static str, super::super::DbError> {
    let clock = Clock::system();
    let opener = Opener::existing(path, sqlx::sqlite::SqliteSynchronous::Normal);
    let mut conn = opener.connect(&clock).await.expect("opens");
    migrate_alone(&mut conn, schema, &clock).await
}

#[tokio::test]
async fn the_binary_before_goes_on_with_a_store_that_a_newer_one_migrated() {
    on_sqlite(|t| async move {
        let folder = t.folder().expect("on SQLite");
        for store in [Store::Ledger, Store::Telemetry] {
            let schema = store.schema();
            let path = folder.join(format!("{}.db", store.name()));
            let [.., two_ago, before, newest] = schema.known else {
                if let [before, newest] = schema.known {
                    let older = schema.until(before.name).expect("is known");
                    let opened = open_with(&path, older).await;
                    assert_eq!(opened.expect("goes on"), before.name, "{}", newest.name);
                }
                continue;
            };
            let older = schema.until(before.name).expect("is known");
            assert_eq!(open_with(&path, older).await.expect("goes on"), before.name);
            let too_old = schema.until(two_ago.name).expect("is known");
            let error = open_with(&path, too_old).await.expect_err("two behind");
            assert!(error.to_string().contains(newest.name), "{error}");
        }
    })
    .await;
}
