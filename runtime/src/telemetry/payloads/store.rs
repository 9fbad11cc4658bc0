//! Statements on captured payloads.

use contract::ids::{OpId, ServiceId, TraceId};
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::model::{Direction, Kept};
use crate::db::{Conn, DbError, Driver, Sql, on_conn, sql};

const SAVE: Sql = sql!(
    sqlite: "telemetry_payloads/save.sqlite.sql",
    postgres: "telemetry_payloads/save.postgres.sql"
);
const SAVE_CONTRACT: Sql = sql!("telemetry_payloads/save_contract.sql");
const GET: Sql = sql!("telemetry_payloads/get.sql");

/// Services whose payloads of one operation are looked at; all but one are strangers.
const SERVICES_MAX: i64 = 16;

#[derive(FromRow)]
struct PayloadRow {
    service_id: Vec<u8>,
    trace_id: Vec<u8>,
    original_size: i64,
    contract_hash: String,
    decodable: i64,
    content: Vec<u8>,
    input_json: Option<Vec<u8>>,
    output_json: Option<Vec<u8>>,
}

/// A stored payload and the schemas that lie beside it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) service: ServiceId,
    pub(super) trace: TraceId,
    pub(super) original_size: i64,
    pub(super) contract_hash: String,
    pub(super) decodable: bool,
    pub(super) content: Vec<u8>,
    pub(super) schemas: Option<(Vec<u8>, Vec<u8>)>,
}

/// Stores payloads over equal ones; they must differ in operation, direction or service.
pub(super) async fn save(
    conn: &mut Conn<'_>,
    slice: i64,
    payloads: &[&Kept],
) -> Result<(), DbError> {
    let text = conn.text(SAVE);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let (scalars, ids, contents) = pack(payloads);
            let query = sqlx::query(text).bind(slice).bind(scalars);
            let query = query.bind(ids).bind(contents);
            query.execute(c).await.map(|_| ())
        }
        Driver::Postgres(c) => {
            let numbers =
                |of: fn(&Kept) -> i64| -> Vec<i64> { payloads.iter().map(|it| of(it)).collect() };
            let bytes = |of: fn(&Kept) -> &[u8]| -> Vec<&[u8]> {
                payloads.iter().map(|it| of(it)).collect()
            };
            let hashes = payloads.iter().map(|it| it.contract_hash.as_str());
            sqlx::query(text)
                .bind(slice)
                .bind(bytes(|it| it.op.as_bytes()))
                .bind(numbers(|it| i64::from(it.direction.number())))
                .bind(bytes(|it| it.service.as_bytes()))
                .bind(bytes(|it| it.instance.as_bytes()))
                .bind(bytes(|it| it.trace.as_bytes()))
                .bind(numbers(|it| it.original_size))
                .bind(hashes.collect::<Vec<_>>())
                .bind(numbers(|it| i64::from(it.decodable)))
                .bind(bytes(|it| &it.bytes))
                .execute(c)
                .await
                .map(|_| ())
        }
    };
    conn.settle("store payloads", outcome)
}

/// Scalars as one JSON array, ids as one blob of 64 bytes per payload, contents as another.
fn pack(payloads: &[&Kept]) -> (String, Vec<u8>, Vec<u8>) {
    let mut scalars = Vec::with_capacity(payloads.len());
    let mut ids = Vec::with_capacity(payloads.len() * 64);
    let mut contents = Vec::new();
    for it in payloads {
        scalars.push(json!([
            it.direction.number(),
            it.original_size,
            it.contract_hash,
            i64::from(it.decodable),
            contents.len(),
            it.bytes.len(),
        ]));
        ids.extend_from_slice(it.op.as_bytes());
        ids.extend_from_slice(it.service.as_bytes());
        ids.extend_from_slice(it.instance.as_bytes());
        ids.extend_from_slice(it.trace.as_bytes());
        contents.extend_from_slice(&it.bytes);
    }
    (Value::Array(scalars).to_string(), ids, contents)
}

/// Lays a contract's schemas beside the payloads of a slice.
pub(super) async fn save_contract(
    conn: &mut Conn<'_>,
    slice: i64,
    hash: &str,
    (input_json, output_json): (&[u8], &[u8]),
) -> Result<(), DbError> {
    let text = conn.text(SAVE_CONTRACT);
    on_conn!(conn, "store a contract of payloads", c => {
        let query = sqlx::query(text).bind(slice).bind(hash.to_owned());
        let query = query.bind(input_json.to_vec()).bind(output_json.to_vec());
        query.execute(c).await.map(|_| ())
    })
}

/// What services attached to an operation, by service.
pub(super) async fn get(
    conn: &mut Conn<'_>,
    slice: i64,
    op: OpId,
    direction: Direction,
) -> Result<Vec<Found>, DbError> {
    let text = conn.text(GET);
    let rows = on_conn!(conn, "load a payload", c => {
        sqlx::query_as::<_, PayloadRow>(text)
            .bind(slice)
            .bind(op.as_bytes().to_vec())
            .bind(i64::from(direction.number()))
            .bind(SERVICES_MAX)
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(|it| it.into_found(op)).collect()
}

impl PayloadRow {
    fn into_found(self, op: OpId) -> Result<Found, DbError> {
        let id = |bytes: &[u8]| {
            Uuid::from_slice(bytes).map_err(|_| {
                let detail =
                    format!("a payload of operation {op} has an id of other than 16 bytes");
                DbError::corrupt("read a payload", detail)
            })
        };
        Ok(Found {
            service: ServiceId::from_uuid(id(&self.service_id)?),
            trace: TraceId::from_uuid(id(&self.trace_id)?),
            original_size: self.original_size,
            contract_hash: self.contract_hash,
            decodable: self.decodable != 0,
            content: self.content,
            schemas: self.input_json.zip(self.output_json),
        })
    }
}
