//! The inventory: what is on the shelves, what is kept for whom, what it costs.
//!
//! Everything is in memory and starts afresh with the process.
//!
//! Invariant: what is reserved has left the shelf, so the reservations are never more than the
//! pieces there were.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::routing::get;
use axum::{Json, Router};
use bridge::{Bridge, State};
use serde::Serialize;

use super::lifeline::Lifeline;
use super::logging;
use crate::contracts::inventory::{
    QuoteError, QuoteReply, QuoteRequest, ReleaseReply, ReleaseRequest, ReserveError, ReserveReply,
    ReserveRequest,
};

/// Runs the service until it is told to stop.
pub(super) async fn run(lifeline: Lifeline) -> Result<(), bridge::Error> {
    let warehouse = Warehouse::stocked();
    let builder = Bridge::from_env("inventory")?;
    logging::start(&builder.telemetry());
    let bridge = builder
        .advertise("127.0.0.1:0")
        .serve(bridge::handlers![reserve, quote, release])
        .state(warehouse.clone())
        .start()
        .await?;
    let app = Router::new()
        .route("/v1/stock", get(stock))
        .with_state(warehouse);
    lifeline.serve(bridge, app).await
}

#[derive(Clone)]
struct Warehouse(Arc<Mutex<Shelves>>);

struct Shelves {
    goods: BTreeMap<&'static str, Goods>,
    reserved: HashMap<String, Reservation>,
    reservations_made: u64,
}

#[derive(Clone, Serialize)]
struct Goods {
    pieces: u32,
    cents: i64,
}

struct Reservation {
    sku: &'static str,
    pieces: u32,
    cents: i64,
}

impl Warehouse {
    fn stocked() -> Self {
        let goods = [
            ("coffee", 400, 1_290),
            ("mug", 30, 1_590),
            ("tea", 250, 890),
        ];
        Self(Arc::new(Mutex::new(Shelves {
            goods: goods
                .map(|(sku, pieces, cents)| (sku, Goods { pieces, cents }))
                .into(),
            reserved: HashMap::new(),
            reservations_made: 0,
        })))
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps goods for an order.
#[bridge::rpc]
async fn reserve(
    State(warehouse): State<Warehouse>,
    request: ReserveRequest,
) -> Result<ReserveReply, ReserveError> {
    let ReserveRequest { sku, quantity } = request;
    if quantity == 0 {
        let text = "order one piece or more".to_owned();
        return Err(ReserveError::InvalidQuantity(text));
    }
    let mut shelves = warehouse.shelves();
    let Some((name, mut goods)) = shelves
        .goods
        .get_key_value(&*sku)
        .map(|(name, goods)| (*name, goods.clone()))
    else {
        return Err(ReserveError::UnknownSku(format!("nobody sells `{sku}`")));
    };
    goods.pieces = goods.pieces.checked_sub(quantity).ok_or_else(|| {
        let left = goods.pieces;
        ReserveError::OutOfStock(format!("{left} of `{sku}` left, {quantity} wanted"))
    })?;
    shelves.reservations_made += 1;
    let reservation_id = format!("reservation-{}", shelves.reservations_made);
    let reservation = Reservation {
        sku: name,
        pieces: quantity,
        cents: goods.cents * i64::from(quantity),
    };
    shelves.goods.insert(name, goods);
    shelves.reserved.insert(reservation_id.clone(), reservation);
    Ok(ReserveReply { reservation_id })
}

/// What reserved goods cost.
#[bridge::rpc]
async fn quote(
    State(warehouse): State<Warehouse>,
    request: QuoteRequest,
) -> Result<QuoteReply, QuoteError> {
    let shelves = warehouse.shelves();
    let reservation = shelves.reserved.get(&request.reservation_id);
    let cents = reservation.ok_or(QuoteError::UnknownReservation)?.cents;
    Ok(QuoteReply { cents })
}

/// Puts reserved goods back.
#[bridge::rpc]
async fn release(
    State(warehouse): State<Warehouse>,
    request: ReleaseRequest,
) -> Result<ReleaseReply, Infallible> {
    let mut shelves = warehouse.shelves();
    if let Some(Reservation { sku, pieces, .. }) = shelves.reserved.remove(&request.reservation_id)
        && let Some(goods) = shelves.goods.get_mut(sku)
    {
        goods.pieces += pieces;
    }
    Ok(ReleaseReply {})
}

async fn stock(
    axum::extract::State(warehouse): axum::extract::State<Warehouse>,
) -> Json<BTreeMap<&'static str, Goods>> {
    Json(warehouse.shelves().goods.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(warehouse: &Warehouse) -> u32 {
        warehouse.shelves().goods["mug"].pieces
    }

    fn mugs(quantity: u32) -> ReserveRequest {
        ReserveRequest {
            sku: "mug".into(),
            quantity,
        }
    }

    #[tokio::test]
    async fn released_goods_are_on_the_shelf_again_and_only_once() {
        let warehouse = Warehouse::stocked();
        let kept = reserve(State(warehouse.clone()), mugs(7)).await.unwrap();
        assert_eq!(left(&warehouse), 23);
        for _ in 0..2 {
            let reservation_id = kept.reservation_id.clone();
            let request = ReleaseRequest { reservation_id };
            release(State(warehouse.clone()), request).await.unwrap();
            assert_eq!(left(&warehouse), 30);
        }
    }

    #[tokio::test]
    async fn the_last_piece_can_be_reserved_and_no_more() {
        let warehouse = Warehouse::stocked();
        assert!(matches!(
            reserve(State(warehouse.clone()), mugs(31)).await,
            Err(ReserveError::OutOfStock(_))
        ));
        assert!(reserve(State(warehouse.clone()), mugs(30)).await.is_ok());
        assert_eq!(left(&warehouse), 0);
    }
}
