//! SQL of services and their keys: one function per statement, no decisions.
//!
//! The caller holds the transaction and has already decided; functions here write it down or read
//! it back. Of a key's secret only its slow hash passes through.

use contract::clock::Timestamp;
use contract::ids::ServiceId;
use sqlx::FromRow;

use crate::db::{Conn, DbError, Sql, on_conn, sql};

const INSERT_SERVICE: Sql = sql!("identity/insert_service.sql");
const FIND_SERVICE: Sql = sql!("identity/find_service.sql");
const FIND_SERVICE_BY_NAME: Sql = sql!("identity/find_service_by_name.sql");
const LIST_SERVICES: Sql = sql!("identity/list_services.sql");
const REVOKE_SERVICE: Sql = sql!("identity/revoke_service.sql");
const REVOKE_KEYS: Sql = sql!("identity/revoke_keys.sql");
const INSERT_KEY: Sql = sql!("identity/insert_key.sql");
const LIST_KEYS: Sql = sql!("identity/list_keys.sql");
const REVOKE_KEY: Sql = sql!("identity/revoke_key.sql");
const FIND_KEY: Sql = sql!("identity/find_key.sql");

/// Most services one page holds.
pub(crate) const PAGE_MAX: u32 = 1_000;

/// Most keys of one service in a list.
pub(crate) const KEYS_MAX: u32 = 1_000;

/// Whether a service may join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceStatus {
    /// Its keys work.
    Active,
    /// Final: no key of it works again.
    Revoked,
}

/// A service as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) id: ServiceId,
    pub(crate) name: String,
    pub(crate) status: ServiceStatus,
    pub(crate) created_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
}

/// A service in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedService {
    pub(crate) service: Service,
    /// Keys that are not revoked.
    pub(crate) active_keys: i64,
}

/// A key to store.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct NewKey<'a> {
    pub(crate) key_id: &'a [u8],
    pub(crate) service: ServiceId,
    pub(crate) secret_hash: &'a str,
    pub(crate) created_at: Timestamp,
}

/// A key in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedKey {
    pub(crate) key_id: Vec<u8>,
    pub(crate) created_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
}

/// A key as stored, with the service it belongs to.
pub(crate) struct FoundKey {
    pub(crate) secret_hash: String,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) service: Service,
}

#[derive(FromRow)]
struct ServiceRow {
    id: String,
    name: String,
    status: String,
    created_at_us: i64,
    revoked_at_us: Option<i64>,
}

#[derive(FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    service: ServiceRow,
    active_keys: i64,
}

#[derive(FromRow)]
struct KeyRow {
    secret_hash: String,
    key_revoked_at_us: Option<i64>,
    #[sqlx(flatten)]
    service: ServiceRow,
}

/// Adds an active service. A name that is taken is a conflict.
pub(crate) async fn insert_service(
    conn: &mut Conn<'_>,
    id: ServiceId,
    name: &str,
    created_at: Timestamp,
) -> Result<(), DbError> {
    let text = conn.text(INSERT_SERVICE);
    on_conn!(conn, "add a service", c => {
        sqlx::query(text)
            .bind(id.to_string())
            .bind(name)
            .bind(created_at.as_micros())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// The service with this id, whatever its status.
pub(crate) async fn find_service(
    conn: &mut Conn<'_>,
    id: ServiceId,
) -> Result<Option<Service>, DbError> {
    find(conn, FIND_SERVICE, &id.to_string()).await
}

/// The service with this name, whatever its status.
pub(crate) async fn find_service_by_name(
    conn: &mut Conn<'_>,
    name: &str,
) -> Result<Option<Service>, DbError> {
    find(conn, FIND_SERVICE_BY_NAME, name).await
}

async fn find(conn: &mut Conn<'_>, sql: Sql, by: &str) -> Result<Option<Service>, DbError> {
    let text = conn.text(sql);
    let row = on_conn!(conn, "find a service", c => {
        sqlx::query_as::<_, ServiceRow>(text).bind(by).fetch_optional(c).await
    })?;
    row.map(ServiceRow::into_service).transpose()
}

/// Services in the order of their names, from just after `after` (empty: from the first).
pub(crate) async fn list_services(
    conn: &mut Conn<'_>,
    after: &str,
    limit: u32,
) -> Result<Vec<ListedService>, DbError> {
    let text = conn.text(LIST_SERVICES);
    let limit = i64::from(limit.clamp(1, PAGE_MAX));
    let rows = on_conn!(conn, "list services", c => {
        sqlx::query_as::<_, ListedRow>(text).bind(after).bind(limit).fetch_all(c).await
    })?;
    let listed = |row: ListedRow| {
        let active_keys = row.active_keys;
        row.service.into_service().map(|service| ListedService {
            service,
            active_keys,
        })
    };
    rows.into_iter().map(listed).collect()
}

/// Revokes an active service and all its keys. False when there is no active one with this id.
pub(crate) async fn revoke_service(
    conn: &mut Conn<'_>,
    id: ServiceId,
    at: Timestamp,
) -> Result<bool, DbError> {
    let mut revoked = 0;
    for (position, sql) in [REVOKE_SERVICE, REVOKE_KEYS].into_iter().enumerate() {
        let text = conn.text(sql);
        let changed = on_conn!(conn, "revoke a service", c => {
            sqlx::query(text)
                .bind(id.to_string())
                .bind(at.as_micros())
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        })?;
        if position == 0 {
            revoked = changed;
        }
    }
    Ok(revoked > 0)
}

/// Adds a key to a service.
pub(crate) async fn insert_key(conn: &mut Conn<'_>, key: &NewKey<'_>) -> Result<(), DbError> {
    let text = conn.text(INSERT_KEY);
    on_conn!(conn, "add a service key", c => {
        sqlx::query(text)
            .bind(key.key_id)
            .bind(key.service.to_string())
            .bind(key.secret_hash)
            .bind(key.created_at.as_micros())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// Keys of a service, the newest first.
pub(crate) async fn list_keys(
    conn: &mut Conn<'_>,
    service: ServiceId,
) -> Result<Vec<ListedKey>, DbError> {
    let text = conn.text(LIST_KEYS);
    let rows = on_conn!(conn, "list service keys", c => {
        sqlx::query_as::<_, (Vec<u8>, i64, Option<i64>)>(text)
            .bind(service.to_string())
            .bind(i64::from(KEYS_MAX))
            .fetch_all(c)
            .await
    })?;
    let listed = |(key_id, created_at_us, revoked_at_us): (Vec<u8>, i64, Option<i64>)| ListedKey {
        key_id,
        created_at: Timestamp::from_micros(created_at_us),
        revoked_at: revoked_at_us.map(Timestamp::from_micros),
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// Revokes one key of a service. False when it has no such key that works.
pub(crate) async fn revoke_key(
    conn: &mut Conn<'_>,
    service: ServiceId,
    key_id: &[u8],
    at: Timestamp,
) -> Result<bool, DbError> {
    let text = conn.text(REVOKE_KEY);
    let changed = on_conn!(conn, "revoke a service key", c => {
        sqlx::query(text)
            .bind(service.to_string())
            .bind(key_id)
            .bind(at.as_micros())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(changed > 0)
}

/// The key with this id and its service, revoked or not.
pub(crate) async fn find_key(
    conn: &mut Conn<'_>,
    key_id: &[u8],
) -> Result<Option<FoundKey>, DbError> {
    let text = conn.text(FIND_KEY);
    let row = on_conn!(conn, "find a service key", c => {
        sqlx::query_as::<_, KeyRow>(text).bind(key_id).fetch_optional(c).await
    })?;
    row.map(KeyRow::into_key).transpose()
}

impl ServiceRow {
    fn into_service(self) -> Result<Service, DbError> {
        let unreadable = |what| {
            DbError::corrupt(
                "read a service",
                format!("`{}` has an unknown {what}", self.name),
            )
        };
        Ok(Service {
            id: self.id.parse().map_err(|_| unreadable("id"))?,
            status: match self.status.as_str() {
                "active" => ServiceStatus::Active,
                "revoked" => ServiceStatus::Revoked,
                _ => return Err(unreadable("status")),
            },
            created_at: Timestamp::from_micros(self.created_at_us),
            revoked_at: self.revoked_at_us.map(Timestamp::from_micros),
            name: self.name,
        })
    }
}

impl KeyRow {
    fn into_key(self) -> Result<FoundKey, DbError> {
        Ok(FoundKey {
            secret_hash: self.secret_hash,
            revoked_at: self.key_revoked_at_us.map(Timestamp::from_micros),
            service: self.service.into_service()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::on_both_databases;
    use crate::db::{Db, Store};

    async fn add(db: &Db, id: ServiceId, name: &'static str, at: i64) -> Result<(), DbError> {
        let at = Timestamp::from_micros(at);
        db.write(Store::Ledger, "add", move |conn| {
            Box::pin(insert_service(conn, id, name, at))
        })
        .await
    }

    async fn add_key(db: &Db, key_id: &'static [u8], service: ServiceId) -> Result<(), DbError> {
        db.write(Store::Ledger, "add a key", move |conn| {
            Box::pin(async move {
                let created_at = Timestamp::from_micros(9);
                insert_key(
                    conn,
                    &NewKey {
                        key_id,
                        service,
                        secret_hash: "slow",
                        created_at,
                    },
                )
                .await
            })
        })
        .await
    }

    async fn revoke(db: &Db, id: ServiceId, at: i64) -> bool {
        let at = Timestamp::from_micros(at);
        db.write::<_, DbError, _>(Store::Ledger, "revoke", move |conn| {
            Box::pin(revoke_service(conn, id, at))
        })
        .await
        .expect("revokes")
    }

    on_both_databases! {
        async fn a_service_is_found_by_name_and_id_and_its_name_is_taken(t: TestDb) {
            let id = ServiceId::mint(&t.mint);
            add(&t.db, id, "orders", 5).await.expect("adds");
            let mut held = t.db.read(Store::Ledger, "find").await.expect("a connection");
            let mut conn = held.conn();
            let found = find_service(&mut conn, id).await.expect("finds").expect("is there");
            assert_eq!((found.name.as_str(), found.status), ("orders", ServiceStatus::Active));
            assert_eq!(find_service_by_name(&mut conn, "orders").await.expect("finds"), Some(found));
            assert_eq!(find_service_by_name(&mut conn, "Orders").await.expect("finds"), None);
            drop(held);
            let error = add(&t.db, ServiceId::mint(&t.mint), "orders", 6).await;
            assert!(error.expect_err("is taken").is_conflict());
        }

        async fn revoking_ends_the_service_and_all_its_keys_once(t: TestDb) {
            let id = ServiceId::mint(&t.mint);
            add(&t.db, id, "orders", 5).await.expect("adds");
            add_key(&t.db, b"\0one", id).await.expect("adds");
            add_key(&t.db, b"\0two", id).await.expect("adds");
            assert!(add_key(&t.db, b"\0two", id).await.expect_err("is taken").is_conflict());
            add_key(&t.db, b"lost", ServiceId::mint(&t.mint)).await.expect_err("no such service");
            assert!(revoke(&t.db, id, 70).await);
            assert!(!revoke(&t.db, id, 80).await, "it is revoked already");

            let mut held = t.db.read(Store::Ledger, "find").await.expect("a connection");
            let mut conn = held.conn();
            let key = find_key(&mut conn, b"\0two").await.expect("finds").expect("is there");
            assert_eq!((key.secret_hash.as_str(), key.service.id), ("slow", id));
            assert_eq!(key.revoked_at, Some(Timestamp::from_micros(70)));
            assert_eq!(key.service.status, ServiceStatus::Revoked);
            assert!(find_key(&mut conn, b"\0three").await.expect("finds").is_none());
        }

        async fn services_are_listed_in_pages_by_name_with_their_working_keys(t: TestDb) {
            for name in ["b-two", "a", "b_one", "c"] {
                let id = ServiceId::mint(&t.mint);
                add(&t.db, id, name, 1).await.expect("adds");
                if name == "c" {
                    add_key(&t.db, b"key", id).await.expect("adds");
                }
            }
            let mut held = t.db.read(Store::Ledger, "list").await.expect("a connection");
            let mut conn = held.conn();
            let first = list_services(&mut conn, "", 3).await.expect("lists");
            let rest = list_services(&mut conn, &first[2].service.name, 3).await.expect("lists");
            let names: Vec<_> = first.iter().chain(&rest).map(|it| it.service.name.as_str()).collect();
            assert_eq!(names, ["a", "b-two", "b_one", "c"]);
            assert_eq!((first[0].active_keys, rest[0].active_keys), (0, 1));
        }
    }
}
