//! Orders: takes them over HTTP, has the goods reserved and the card charged by the others.
//!
//! Everything is in memory and starts afresh with the process.
//!
//! Invariant: an order exists only after it was paid. Goods of an order that was not paid are
//! released; when the process dies in between they stay reserved, because nothing here is durable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use bridge::telemetry::Counter;
use bridge::{Bridge, Client, Telemetry};
use serde::{Deserialize, Serialize};

use super::lifeline::Lifeline;
use super::logging;
use super::problem::Problem;
use crate::contracts::inventory::{Inventory, ReleaseRequest, ReserveRequest};
use crate::contracts::orders::{FindError, FindReply, FindRequest};
use crate::contracts::payments::{ChargeReply, ChargeRequest, Payments};

/// Orders kept.
const ORDERS_MAX: usize = 10_000;

/// Runs the service until it is told to stop.
pub(super) async fn run(lifeline: Lifeline) -> Result<(), bridge::Error> {
    let mut builder = Bridge::from_env("orders")?;
    let telemetry = builder.telemetry();
    logging::start(&telemetry);
    let shop = Shop {
        outcomes: telemetry.counter("shop.orders"),
        telemetry,
        inventory: builder.client::<Inventory>(),
        payments: builder.client::<Payments>(),
        orders: Arc::default(),
    };
    let bridge = builder
        .advertise("127.0.0.1:0")
        .serve(bridge::handlers![find])
        .state(shop.clone())
        .start()
        .await?;
    let app = Router::new()
        .route("/v1/orders", post(place))
        .route("/v1/orders/{id}", get(show))
        .with_state(shop);
    lifeline.serve(bridge, app).await
}

#[derive(Clone)]
struct Shop {
    inventory: Client<Inventory>,
    payments: Client<Payments>,
    telemetry: Telemetry,
    /// Orders by what became of them.
    outcomes: Counter,
    orders: Arc<Mutex<BTreeMap<String, Order>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    sku: String,
    quantity: u32,
    card: String,
}

#[derive(Clone, Serialize)]
struct Order {
    id: String,
    sku: String,
    quantity: u32,
    cents: i64,
    charge_id: String,
}

impl Shop {
    fn orders(&self) -> MutexGuard<'_, BTreeMap<String, Order>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `POST /v1/orders`: a plain axum handler that calls two services.
async fn place(
    State(shop): State<Shop>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Order>), Problem> {
    let placed = shop.place(new).await;
    let outcome = if placed.is_ok() { "placed" } else { "refused" };
    shop.outcomes.add(1.0, &[("outcome", outcome)]);
    let order = placed?;
    tracing::info!(order.id, order.cents, "order placed");
    let location = (header::LOCATION, format!("/v1/orders/{}", order.id));
    Ok((StatusCode::CREATED, [location], Json(order)))
}

impl Shop {
    async fn place(&self, new: NewOrder) -> Result<Order, Problem> {
        if self.orders().len() >= ORDERS_MAX {
            return Err(Problem::full(ORDERS_MAX));
        }
        let wanted = ReserveRequest {
            sku: new.sku.clone(),
            quantity: new.quantity,
        };
        let reservation_id = self.inventory.reserve(wanted).await?.reservation_id;
        let payment = ChargeRequest {
            reservation_id: reservation_id.clone(),
            card: new.card.clone(),
        };
        let charged = match self.payments.charge(payment).await {
            Ok(charged) => charged,
            Err(error) => {
                // The customer has to hear why there is no order; that goods stay reserved if
                // this fails too is for the shop to notice, and the trace shows it.
                let _ = self
                    .inventory
                    .release(ReleaseRequest { reservation_id })
                    .await;
                return Err(error.into());
            }
        };
        Ok(self.write(new, charged))
    }

    /// Enters an order that was paid into the books: a step of the trace like the calls.
    fn write(&self, new: NewOrder, charged: ChargeReply) -> Order {
        let step = self.telemetry.op("books.write").key(&charged.charge_id);
        let step = step.start();
        let mut orders = self.orders();
        let order = Order {
            id: format!("order-{}", orders.len() + 1),
            sku: new.sku,
            quantity: new.quantity,
            cents: charged.cents,
            charge_id: charged.charge_id,
        };
        orders.insert(order.id.clone(), order.clone());
        step.ok();
        order
    }
}

/// `GET /v1/orders/{id}`
async fn show(State(shop): State<Shop>, Path(id): Path<String>) -> Result<Json<Order>, Problem> {
    let order = shop.orders().get(&id).cloned();
    order.map(Json).ok_or_else(|| Problem::no_order(&id))
}

/// The same for other services.
#[bridge::rpc]
async fn find(
    bridge::State(shop): bridge::State<Shop>,
    request: FindRequest,
) -> Result<FindReply, FindError> {
    let orders = shop.orders();
    let order = orders.get(&request.order_id);
    let order = order.ok_or(FindError::UnknownOrder)?;
    Ok(FindReply {
        sku: order.sku.clone(),
        quantity: order.quantity,
        cents: order.cents,
    })
}
