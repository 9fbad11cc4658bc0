//! SQL of stored registrations: one function per statement, batches as slices.
//!
//! A registration is an opaque blob here: the request as it came in. What it means, and which of
//! them still count after a restart, is decided elsewhere.

use std::collections::HashMap;

use contract::clock::Timestamp;
use contract::ids::{InstanceId, ServiceId};
use serde_json::json;
use sqlx::FromRow;

use crate::db::{Conn, DbError, Driver, Sql, on_conn, sql};

const UPSERT: Sql =
    sql!(sqlite: "registry/upsert.sqlite.sql", postgres: "registry/upsert.postgres.sql");
const DELETE: Sql =
    sql!(sqlite: "registry/delete.sqlite.sql", postgres: "registry/delete.postgres.sql");
const DELETE_BY_SERVICE: Sql = sql!("registry/delete_by_service.sql");
const LOAD_PAGE: Sql = sql!("registry/load_page.sql");

/// Most registrations one page holds.
pub(crate) const PAGE_MAX: u32 = 500;

/// The last registration of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredRegistration {
    pub(crate) instance: InstanceId,
    pub(crate) service: ServiceId,
    /// The encoded request.
    pub(crate) request: Vec<u8>,
    pub(crate) updated_at: Timestamp,
}

#[derive(FromRow)]
struct RegistrationRow {
    instance_id: String,
    service_id: String,
    request: Vec<u8>,
    updated_at_us: i64,
}

/// Stores registrations in one statement; of two for one instance the later in the slice stays.
pub(crate) async fn upsert(
    conn: &mut Conn<'_>,
    registrations: &[StoredRegistration],
) -> Result<(), DbError> {
    let last: HashMap<InstanceId, &StoredRegistration> =
        registrations.iter().map(|it| (it.instance, it)).collect();
    let mut rows: Vec<&StoredRegistration> = last.into_values().collect();
    // Always in one order: two processes that store overlapping batches cannot deadlock.
    rows.sort_unstable_by_key(|row| row.instance);
    let text = conn.text(UPSERT);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let (scalars, requests) = pack(&rows);
            sqlx::query(text)
                .bind(scalars)
                .bind(requests)
                .execute(c)
                .await
                .map(|_| ())
        }
        Driver::Postgres(c) => sqlx::query(text)
            .bind(
                rows.iter()
                    .map(|row| row.instance.to_string())
                    .collect::<Vec<_>>(),
            )
            .bind(
                rows.iter()
                    .map(|row| row.service.to_string())
                    .collect::<Vec<_>>(),
            )
            .bind(
                rows.iter()
                    .map(|row| row.request.as_slice())
                    .collect::<Vec<_>>(),
            )
            .bind(
                rows.iter()
                    .map(|row| row.updated_at.as_micros())
                    .collect::<Vec<_>>(),
            )
            .execute(c)
            .await
            .map(|_| ()),
    };
    conn.settle("store registrations", outcome)
}

/// Scalars as one JSON array, requests as one blob that the statement cuts by offset and length.
fn pack(rows: &[&StoredRegistration]) -> (String, Vec<u8>) {
    let mut requests = Vec::with_capacity(rows.iter().map(|row| row.request.len()).sum());
    let mut scalars = Vec::with_capacity(rows.len());
    for row in rows {
        scalars.push(json!({
            "instance": row.instance.to_string(),
            "service": row.service.to_string(),
            "offset": requests.len(),
            "length": row.request.len(),
            "updated_at_us": row.updated_at.as_micros(),
        }));
        requests.extend_from_slice(&row.request);
    }
    (serde_json::Value::Array(scalars).to_string(), requests)
}

/// Forgets these instances; unknown ones are no error. Returns how many there were.
pub(crate) async fn delete(conn: &mut Conn<'_>, instances: &[InstanceId]) -> Result<u64, DbError> {
    let ids: Vec<String> = instances.iter().map(InstanceId::to_string).collect();
    let text = conn.text(DELETE);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let ids = json!(ids).to_string();
            sqlx::query(text)
                .bind(ids)
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        }
        Driver::Postgres(c) => sqlx::query(text)
            .bind(ids)
            .execute(c)
            .await
            .map(|done| done.rows_affected()),
    };
    conn.settle("delete registrations", outcome)
}

/// Forgets every instance of a service. Returns how many there were.
pub(crate) async fn delete_by_service(
    conn: &mut Conn<'_>,
    service: ServiceId,
) -> Result<u64, DbError> {
    let text = conn.text(DELETE_BY_SERVICE);
    on_conn!(conn, "delete a service's registrations", c => {
        sqlx::query(text)
            .bind(service.to_string())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })
}

/// Registrations in the order of their instance ids, from just after `after`.
pub(crate) async fn load_page(
    conn: &mut Conn<'_>,
    after: Option<InstanceId>,
    limit: u32,
) -> Result<Vec<StoredRegistration>, DbError> {
    let text = conn.text(LOAD_PAGE);
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let limit = i64::from(limit.clamp(1, PAGE_MAX));
    let rows = on_conn!(conn, "load registrations", c => {
        sqlx::query_as::<_, RegistrationRow>(text).bind(after).bind(limit).fetch_all(c).await
    })?;
    rows.into_iter()
        .map(RegistrationRow::into_registration)
        .collect()
}

impl RegistrationRow {
    fn into_registration(self) -> Result<StoredRegistration, DbError> {
        let unreadable = |_| {
            DbError::corrupt(
                "load registrations",
                format!("instance `{}` is damaged", self.instance_id),
            )
        };
        Ok(StoredRegistration {
            instance: self.instance_id.parse().map_err(unreadable)?,
            service: self.service_id.parse().map_err(unreadable)?,
            request: self.request,
            updated_at: Timestamp::from_micros(self.updated_at_us),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Store;
    use crate::db::testing::{TestDb, on_both_databases};

    async fn store(t: &TestDb, registrations: Vec<StoredRegistration>) {
        t.db.write::<(), DbError, _>(Store::Ledger, "store", move |conn| {
            let registrations = registrations.clone();
            Box::pin(async move { upsert(conn, &registrations).await })
        })
        .await
        .expect("stores");
    }

    async fn load_all(t: &TestDb, limit: u32) -> Vec<StoredRegistration> {
        let mut held =
            t.db.read(Store::Ledger, "load")
                .await
                .expect("a connection");
        let mut all: Vec<StoredRegistration> = Vec::new();
        loop {
            let after = all.last().map(|it| it.instance);
            let page = load_page(&mut held.conn(), after, limit)
                .await
                .expect("loads");
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    fn registrations(t: &TestDb, requests: &[&[u8]]) -> Vec<StoredRegistration> {
        let service = ServiceId::mint(&t.mint);
        let one = |request: &&[u8]| StoredRegistration {
            instance: InstanceId::mint(&t.mint),
            service,
            request: request.to_vec(),
            updated_at: Timestamp::from_micros(5),
        };
        requests.iter().map(one).collect()
    }

    on_both_databases! {
        async fn a_batch_keeps_every_byte_of_every_request(t: TestDb) {
            let sent = registrations(&t, &[b"", b"\0\xff\0", "\u{e9}".as_bytes(), &[7; 70_000], b""]);
            store(&t, sent.clone()).await;
            assert_eq!(load_all(&t, 2).await, sent);
            store(&t, Vec::new()).await;
        }

        async fn the_latest_registration_of_an_instance_replaces_the_others(t: TestDb) {
            let mut sent = registrations(&t, &[b"one", b"two"]);
            store(&t, sent.clone()).await;
            let newer = StoredRegistration { request: b"three".to_vec(), ..sent[0].clone() };
            let newest = StoredRegistration { request: b"four".to_vec(), ..sent[0].clone() };
            store(&t, vec![newer, newest.clone()]).await;
            sent[0] = newest;
            assert_eq!(load_all(&t, 10).await, sent);
        }

        async fn instances_are_forgotten_one_by_one_and_by_service(t: TestDb) {
            let (ours, others) = (registrations(&t, &[b"a", b"b", b"c"]), registrations(&t, &[b"d"]));
            store(&t, [ours.clone(), others.clone()].concat()).await;
            let gone = [ours[1].instance, InstanceId::mint(&t.mint)];
            let service = ours[0].service;
            let counts = t
                .db
                .write::<_, DbError, _>(Store::Ledger, "forget", move |conn| {
                    Box::pin(async move {
                        let some = delete(conn, &gone).await?;
                        Ok((some, delete_by_service(conn, service).await?))
                    })
                })
                .await;
            assert_eq!(counts.expect("deletes"), (1, 2));
            assert_eq!(load_all(&t, 10).await, others);
        }
    }
}
