//! Brings a store's schema up to what this binary knows, once, in one transaction.
//!
//! Works on a store that is one migration ahead, unless that migration's name says that it breaks
//! older binaries: migrations only add, so this binary finds everything it knows.
//!
//! Refuses a schema that is further ahead, and a migration whose text changed after it was
//! applied. The caller holds the transaction and the lock that keeps a second process out, so
//! whoever comes second finds the work done.

use contract::clock::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::FromRow;

use super::conn::{Conn, Driver, on_conn};
use super::error::{DbError, DbErrorKind};
use super::migrations::{BREAKS, Migration, Schema};
use super::sql::{Sql, sql};

const CREATE_TABLE: Sql = sql!("db/create_migrations.sql");
const LIST: Sql = sql!("db/list_migrations.sql");
const RECORD: Sql = sql!("db/record_migration.sql");

/// How many applied migrations are read back; far above what a store will ever have.
const APPLIED_MAX: i64 = 10_000;

#[derive(Clone, Debug, FromRow)]
struct Applied {
    name: String,
    checksum: String,
}

/// Applies what is missing and returns the name of the newest migration.
pub(super) async fn migrate(
    conn: &mut Conn<'_>,
    schema: Schema,
    now: Timestamp,
) -> Result<&'static str, DbError> {
    const ACTION: &str = "prepare the table of migrations";
    let text = conn.text(CREATE_TABLE);
    on_conn!(conn, ACTION, c => sqlx::raw_sql(text).execute(c).await.map(|_| ()))?;

    let applied = list_applied(conn, schema).await?;
    for migration in missing(schema, &applied)? {
        apply(conn, schema, migration, now).await?;
        tracing::debug!(
            schema = schema.name,
            migration = migration.name,
            "schema migrated"
        );
    }
    Ok(newest(schema.known))
}

async fn list_applied(conn: &mut Conn<'_>, schema: Schema) -> Result<Vec<Applied>, DbError> {
    let text = conn.text(LIST);
    on_conn!(conn, "list the applied migrations", c => {
        sqlx::query_as::<_, Applied>(text)
            .bind(schema.name)
            .bind(APPLIED_MAX)
            .fetch_all(c)
            .await
    })
}

async fn apply(
    conn: &mut Conn<'_>,
    schema: Schema,
    migration: &Migration,
    now: Timestamp,
) -> Result<(), DbError> {
    let change = match conn.driver() {
        Driver::Sqlite(_) => migration.sqlite,
        Driver::Postgres(_) => migration.postgres,
    };
    let checksum = checksum(migration);
    on_conn!(conn, "apply a migration", c => sqlx::raw_sql(change).execute(c).await.map(|_| ()))?;
    let text = conn.text(RECORD);
    on_conn!(conn, "record a migration", c => {
        sqlx::query(text)
            .bind(schema.name)
            .bind(migration.name)
            .bind(checksum)
            .bind(now.as_micros())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// What is still to apply, or why this binary must not touch the store.
fn missing(schema: Schema, applied: &[Applied]) -> Result<Vec<&'static Migration>, DbError> {
    let known = schema.known;
    let ahead: Vec<&str> = ahead(schema, applied).collect();
    match ahead[..] {
        [] => {}
        [one] if is_next(schema, one) && !one.ends_with(BREAKS) => {
            let schema = schema.name;
            tracing::info!(
                schema,
                migration = one,
                "a newer binary has added to this store"
            );
        }
        [.., newest] => return Err(unknown_to_us(schema, newest)),
    }
    for found in applied {
        let Some(migration) = known.iter().find(|it| it.name == found.name) else {
            continue;
        };
        if found.checksum != checksum(migration) {
            return Err(changed(schema, &found.name));
        }
    }
    Ok(known
        .iter()
        .filter(|it| applied.iter().all(|found| found.name != it.name))
        .collect())
}

/// Migrations that were applied and are not known here.
fn ahead(schema: Schema, applied: &[Applied]) -> impl Iterator<Item = &str> {
    let names = applied.iter().map(|it| it.name.as_str());
    names.filter(move |name| schema.known.iter().all(|it| it.name != *name))
}

/// Whether it is the one that comes after the newest known here.
fn is_next(schema: Schema, name: &str) -> bool {
    let number = |name: &str| name.split('_').next()?.parse::<u32>().ok();
    number(newest(schema.known)).map(|it| it + 1) == number(name)
}

/// Refuses a store with anything in it that this binary does not know, for who must not leave
/// anything out.
pub(super) async fn check_known(conn: &mut Conn<'_>, schema: Schema) -> Result<(), DbError> {
    let applied = list_applied(conn, schema).await?;
    let Some(found) = ahead(schema, &applied).last() else {
        return Ok(());
    };
    let detail = format!(
        "`{found}` of the {} store was added by a newer bridge binary; use that one",
        schema.name
    );
    Err(DbError::new(DbErrorKind::Schema, "read everything", detail))
}

/// One checksum for both spellings, so that it can be compared wherever the store moved to.
fn checksum(migration: &Migration) -> String {
    let mut hasher = Sha256::new();
    hasher.update(migration.sqlite);
    hasher.update([0]);
    hasher.update(migration.postgres);
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn newest(known: &[Migration]) -> &'static str {
    known.last().map_or("nothing", |last| last.name)
}

fn unknown_to_us(schema: Schema, found: &str) -> DbError {
    let newest = newest(schema.known);
    let detail = format!(
        "its schema has `{found}`, and the newest this binary knows is `{newest}`; run the newer \
         bridge binary that made it (one step back works, unless a migration says that it breaks \
         older binaries), or restore a backup from before that upgrade"
    );
    DbError::new(
        DbErrorKind::Schema,
        format!("open the {} store", schema.name),
        detail,
    )
}

fn changed(schema: Schema, found: &str) -> DbError {
    let detail = format!(
        "migration `{found}` was applied with other text than this binary carries; run the bridge \
         binary that applied it"
    );
    DbError::new(
        DbErrorKind::Schema,
        format!("open the {} store", schema.name),
        detail,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Migration = Migration {
        name: "0001_one",
        sqlite: "a",
        postgres: "b",
    };
    const TWO: Migration = Migration {
        name: "0002_two",
        sqlite: "c",
        postgres: "d",
    };

    const BREAKING: Migration = Migration {
        name: "0002_two_breaks",
        ..TWO
    };
    const THREE: Migration = Migration {
        name: "0003_three",
        sqlite: "e",
        postgres: "f",
    };

    const FIRST: Schema = Schema {
        name: "ledger",
        known: &[ONE],
    };
    const BOTH: Schema = Schema {
        name: "ledger",
        known: &[ONE, TWO],
    };

    fn applied(migration: &Migration) -> Applied {
        Applied {
            name: migration.name.to_owned(),
            checksum: checksum(migration),
        }
    }

    #[test]
    fn only_what_is_missing_is_applied_in_order() {
        let names = |applied: &[Applied]| -> Vec<&str> {
            let missing = missing(BOTH, applied).expect("fits");
            missing.iter().map(|it| it.name).collect()
        };
        assert_eq!(names(&[]), ["0001_one", "0002_two"]);
        assert_eq!(names(&[applied(&ONE)]), ["0002_two"]);
        assert_eq!(names(&[applied(&TWO), applied(&ONE)]), Vec::<&str>::new());
    }

    #[test]
    fn a_store_one_migration_ahead_is_taken_unless_that_one_breaks_older_binaries() {
        let missing_now = missing(FIRST, &[applied(&ONE), applied(&TWO)]).expect("one ahead");
        assert!(missing_now.is_empty());
        let error = missing(FIRST, &[applied(&ONE), applied(&BREAKING)]).expect_err("breaks");
        assert!(error.to_string().contains("`0002_two_breaks`"), "{error}");
        let error = missing(FIRST, &[applied(&ONE), applied(&THREE)]).expect_err("a gap");
        assert!(error.to_string().contains("`0003_three`"), "{error}");
    }

    #[test]
    fn a_newer_schema_is_refused_with_both_versions_and_a_way_out() {
        let error = missing(FIRST, &[applied(&ONE), applied(&TWO), applied(&THREE)]);
        let error = error.expect_err("two ahead");
        assert_eq!(error.kind(), DbErrorKind::Schema);
        let text = error.to_string();
        assert!(
            text.contains("`0003_three`") && text.contains("`0001_one`"),
            "{text}"
        );
        assert!(text.contains("restore a backup"), "{text}");
    }

    #[test]
    fn a_changed_migration_is_refused() {
        let mut found = applied(&ONE);
        found.checksum.replace_range(..1, "x");
        let error = missing(FIRST, &[found]).expect_err("changed");
        assert!(
            error
                .to_string()
                .contains("`0001_one` was applied with other text"),
            "{error}"
        );
    }
}
