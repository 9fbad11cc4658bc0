//! The route that takes a backup: the whole file as one answer.
//!
//! Refuses everybody but the operator's socket: the file holds the private key of the certificate
//! authority, which must not travel over a port. One backup at a time.

use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::StreamExt as _;

use super::engine::Operator;
use crate::accounts::{Caller, Via};
use crate::audit;
use crate::backup::{AuthorityFiles, BackupError, Taking, Wanted, take};
use crate::db::{DbError, Store};
use crate::problem::Problem;
use crate::rest::{Api, Ask, Body, Download, Headed, Nothing, post};

/// Header of the answer: bytes of the stores with their indexes. The backup is smaller.
pub const STORES_BYTES: HeaderName = HeaderName::from_static("x-bridge-stores-bytes");

/// What a backup is to hold.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeBackup {
    /// Traces, logs, metrics and payloads too.
    pub telemetry: bool,
}

#[derive(Clone)]
struct Served {
    operator: Operator,
    one: Arc<Semaphore>,
}

pub(super) fn routes(operator: &Operator) -> Api {
    let served = Served {
        operator: operator.clone(),
        one: Arc::new(Semaphore::new(1)),
    };
    Api::new().add(
        ("backup", &served),
        post(
            "take_backup",
            "/backup",
            "Everything in one file, as `bridge restore` takes it.\nOn the operator's socket only: \
             the file holds the private key of the certificate authority. 409 while another one is \
             being taken.",
        )
        .refuses(&[StatusCode::CONFLICT]),
        answer,
    )
}

async fn answer(
    served: Served,
    ask: Ask<Nothing, Nothing, Body<TakeBackup>>,
) -> Result<Headed<Download>, Problem> {
    let caller = ask.parts.extensions.get::<Caller>();
    let Some(caller) = caller.filter(|it| it.via == Via::Local) else {
        let text = "a backup holds the private key of the certificate authority and does not \
                    travel over a port: run `bridge backup` where the runtime's data folder is";
        return Err(Problem::new(StatusCode::FORBIDDEN, text));
    };
    let busy = |_| Problem::new(StatusCode::CONFLICT, BackupError::Busy.to_string());
    let only = served.one.try_acquire_owned().map_err(busy)?;
    let wanted = ask.body.0;
    note(&served.operator, &caller.name, wanted).await?;
    let parts = served.operator.parts();
    let authority = AuthorityFiles::in_use(&parts.data, parts.identity.authority().ca_der());
    let wanted = Wanted {
        telemetry: wanted.telemetry,
        authority,
    };
    let taking = take(&parts.db, &parts.clock, wanted).await;
    taking.map(|it| streamed(it, only)).map_err(|error| {
        let text = super::doctor::chain(&error);
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, text)
    })
}

/// The audit trail says who took a copy of everything; the copy has that entry already.
async fn note(operator: &Operator, actor: &str, wanted: TakeBackup) -> Result<(), Problem> {
    let parts = operator.parts();
    let detail = json!({ "telemetry": wanted.telemetry });
    let mint = contract::ids::IdMint::system(&parts.clock);
    let entry = audit::Entry::new(
        (&parts.clock, &mint),
        actor,
        "backup.take",
        "runtime",
        detail,
    );
    let noted = parts
        .db
        .write::<(), DbError, _>(Store::Ledger, "note a backup", move |conn| {
            let entry = entry.clone();
            Box::pin(async move { audit::append(conn, &entry).await })
        });
    Ok(noted.await?)
}

fn streamed(taking: Taking, only: OwnedSemaphorePermit) -> Headed<Download> {
    let headers = HeaderMap::from_iter([(STORES_BYTES, HeaderValue::from(taking.stores_bytes))]);
    // One that was given up ends in an error: the answer breaks off, so nobody takes it for whole.
    let pieces = taking.pieces.map(move |piece| {
        // Whoever holds the answer holds the only place there is.
        let _only = &only;
        piece
    });
    Headed(headers, Download(HttpBody::from_stream(pieces)))
}
