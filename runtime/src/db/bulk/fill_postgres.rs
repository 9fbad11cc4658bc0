//! Filling an empty PostgreSQL database in one transaction.
//!
//! Invariant: until the commit at the end nobody sees anything, and a connection that breaks leaves
//! the database as empty as it was.

use std::str::FromStr as _;

use contract::clock::Clock;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

use super::filling::{bind_rows, check, schema_of};
use super::place::Place;
use super::statement;
use super::tables::Schemas;
use super::value::{Column, Row};
use crate::db::Store;
use crate::db::conn::{Conn, Driver};
use crate::db::error::{DbError, DbErrorKind};
use crate::db::history::History;
use crate::db::migrate::migrate;
use crate::db::sql::{Sql, sql};

const BEGIN: Sql = sql!("db/begin_ledger.postgres.sql");
const COMMIT: Sql = sql!("bulk/commit.sql");
const COUNT_TABLES: Sql = sql!(
    sqlite: "bulk/count_tables.postgres.sql",
    postgres: "bulk/count_tables.postgres.sql"
);
const ADD_SLICE: Sql =
    sql!(sqlite: "db/add_slice.postgres.sql", postgres: "db/add_slice.postgres.sql");

/// The open transaction.
#[derive(Debug)]
pub(crate) struct PgFilling {
    conn: PgConnection,
}

impl PgFilling {
    pub(super) async fn begin(
        url: &str,
        clock: &Clock,
        schemas: &Schemas,
    ) -> Result<Self, DbError> {
        let stores = [Store::Ledger, Store::Telemetry].map(Store::schema);
        let wanted = stores.into_iter().chain(History::ALL.map(History::schema));
        let wanted = wanted.map(|it| schema_of(it, schemas));
        let wanted: Vec<_> = wanted.collect::<Result<_, _>>()?;
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            let detail = "it must read postgres://USER:PASSWORD@HOST:PORT/DATABASE";
            DbError::new(DbErrorKind::Other, "use the database address", detail)
        })?;
        let options = options
            .application_name("bridge restore")
            .disable_statement_logging();
        let fault = |source| DbError::from_sqlx("begin to fill the database", source);
        let mut conn = options.connect().await.map_err(fault)?;
        let begun = sqlx::raw_sql(BEGIN.postgres).execute(&mut conn).await;
        begun.map_err(fault)?;
        let tables: i64 = sqlx::query_scalar(COUNT_TABLES.postgres)
            .fetch_one(&mut conn)
            .await
            .map_err(fault)?;
        if tables > 0 {
            let detail =
                format!("it has {tables} tables already; name an empty database, or create one");
            return Err(DbError::new(
                DbErrorKind::Other,
                "fill the database",
                detail,
            ));
        }
        for schema in wanted {
            migrate(
                &mut Conn::new(Driver::Postgres(&mut conn)),
                schema,
                clock.now(),
            )
            .await?;
        }
        Ok(Self { conn })
    }

    pub(super) async fn turn_to(&mut self, place: Place) -> Result<(), DbError> {
        let Place::Slice(history, slice) = place else {
            return Ok(());
        };
        const ACTION: &str = "add a slice of history";
        let added: bool = sqlx::query_scalar(ADD_SLICE.postgres)
            .bind(history.name())
            .bind(slice.id)
            .bind(slice.from_ms)
            .fetch_one(&mut self.conn)
            .await
            .map_err(|source| DbError::from_sqlx(ACTION, source))?;
        if added {
            return Ok(());
        }
        let detail = format!("{place} comes after a newer one");
        Err(DbError::new(DbErrorKind::Corrupt, ACTION, detail))
    }

    pub(super) async fn insert(
        &mut self,
        table: &str,
        columns: &[Column],
        rows: &[Row],
    ) -> Result<(), DbError> {
        check(table, columns, rows)?;
        for rows in rows.chunks(statement::rows_max(columns.len())) {
            let text = AssertSqlSafe(statement::insert(table, columns, rows.len())?);
            let mut query = sqlx::query(text);
            bind_rows!(query, columns, rows);
            let done = query.execute(&mut self.conn).await;
            done.map_err(|source| DbError::from_sqlx(format!("fill `{table}`"), source))?;
        }
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<(), DbError> {
        let fault = |source| DbError::from_sqlx("commit the restored database", source);
        let done = sqlx::raw_sql(COMMIT.postgres).execute(&mut self.conn).await;
        done.map_err(fault)?;
        self.conn.close().await.map_err(fault)
    }
}
