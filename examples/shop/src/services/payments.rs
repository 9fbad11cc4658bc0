//! Payments: charges cards, and asks the inventory what to charge them with.
//!
//! Everything is in memory and starts afresh with the process.
//!
//! Invariant: a reservation is charged at most once; who asks again gets the first charge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::routing::get;
use axum::{Json, Router};
use bridge::{Bridge, Client, State};
use serde::Serialize;

use super::lifeline::Lifeline;
use super::logging;
use crate::contracts::inventory::{Inventory, QuoteError, QuoteRequest};
use crate::contracts::payments::{ChargeError, ChargeReply, ChargeRequest};

/// Charges kept. Refusing one more is better than forgetting who has paid.
const CHARGES_MAX: usize = 10_000;
/// The card that this bank never accepts.
const DECLINED_CARD: &str = "0000";

/// Runs the service until it is told to stop.
pub(super) async fn run(lifeline: Lifeline) -> Result<(), bridge::Error> {
    let mut builder = Bridge::from_env("payments")?;
    logging::start(&builder.telemetry());
    let bank = Bank {
        inventory: builder.client::<Inventory>(),
        ledger: Arc::default(),
    };
    let bridge = builder
        .advertise("127.0.0.1:0")
        .serve(bridge::handlers![charge])
        .state(bank.clone())
        .start()
        .await?;
    let app = Router::new()
        .route("/v1/charges", get(charges))
        .with_state(bank);
    lifeline.serve(bridge, app).await
}

#[derive(Clone)]
struct Bank {
    inventory: Client<Inventory>,
    /// By reservation.
    ledger: Arc<Mutex<BTreeMap<String, Charge>>>,
}

#[derive(Clone, Serialize)]
struct Charge {
    id: String,
    cents: i64,
}

impl Bank {
    fn ledger(&self) -> MutexGuard<'_, BTreeMap<String, Charge>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Charges a card with what the reserved goods cost.
#[bridge::rpc]
async fn charge(
    State(bank): State<Bank>,
    request: ChargeRequest,
) -> Result<ChargeReply, ChargeError> {
    if request.card == DECLINED_CARD {
        return Err(ChargeError::CardDeclined);
    }
    let reservation_id = request.reservation_id;
    let wanted = QuoteRequest {
        reservation_id: reservation_id.clone(),
    };
    // In the trace of whoever called us, and never past the deadline they set.
    let price = bank.inventory.quote(wanted).await.map_err(|error| {
        match error.business::<QuoteError>() {
            Some(QuoteError::UnknownReservation) => ChargeError::NothingReserved,
            None => ChargeError::PriceUnknown(error.to_string()),
        }
    })?;
    let mut ledger = bank.ledger();
    let number = ledger.len() + 1;
    if number > CHARGES_MAX && !ledger.contains_key(&reservation_id) {
        return Err(ChargeError::LedgerFull);
    }
    let charge = ledger.entry(reservation_id).or_insert_with(|| Charge {
        id: format!("charge-{number}"),
        cents: price.cents,
    });
    Ok(ChargeReply {
        charge_id: charge.id.clone(),
        cents: charge.cents,
    })
}

async fn charges(axum::extract::State(bank): axum::extract::State<Bank>) -> Json<Vec<Charge>> {
    Json(bank.ledger().values().cloned().collect())
}
