//! Services as values, streams, and what handlers call: annotated, listed and called.
//!
//! Calls go through [`Local`], so each is encoded, decoded and bounded as over the network.
//!
//! Invariant: what a handler returned is what its caller gets, errors included.

use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use bridge::__rt::{MethodMeta, Target};
use bridge::{Call, Context, Local, StreamCall};
use shop::{ChargeReply, ChargeRequest, Inventory, InventoryClient, Line};
use tower::ServiceExt as _;

#[path = "ui/shop.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the ui cases use it as contract code is used"
)]
mod shop;

const METHODS: &[MethodMeta] = &[meta("Charge", false), meta("Statement", true)];

const fn meta(name: &'static str, streaming: bool) -> MethodMeta {
    MethodMeta {
        service: "shop.payments.v1.Payments",
        name,
        contract_hash: "v2:0",
        input_schema: "{}",
        output_schema: "{}",
        streaming,
    }
}

/// The contract of `shop`, with its client as the generator writes it.
struct Payments;

impl bridge::Contract for Payments {
    const NAME: &'static str = "shop.payments.v1.Payments";
    const DEFAULT_TARGET: &'static str = "payments";
    const METHODS: &'static [MethodMeta] = METHODS;
    type Client = PaymentsClient;
}

#[derive(Clone, Debug)]
struct PaymentsClient(Target);

impl From<Target> for PaymentsClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl PaymentsClient {
    fn charge(&self, cents: i64) -> Call<ChargeReply> {
        self.0.unary(&METHODS[0], ChargeRequest { cents })
    }

    fn statement(&self, cents: i64) -> StreamCall<Line> {
        self.0.stream(&METHODS[1], ChargeRequest { cents })
    }
}

#[derive(Debug, bridge::Error)]
enum DeskError {
    #[bridge(message = "{cents} cents is too much")]
    TooMuch { cents: i64, limit: i64 },
}

/// Keeps what it was charged.
#[derive(Default)]
struct Desk {
    charged: AtomicI64,
    lines: Vec<i64>,
}

#[bridge::service]
impl Desk {
    #[bridge::rpc]
    async fn charge(&self, req: ChargeRequest, _ctx: Context) -> Result<ChargeReply, DeskError> {
        const LIMIT: i64 = 1_000;
        if req.cents > LIMIT {
            return Err(DeskError::TooMuch {
                cents: req.cents,
                limit: LIMIT,
            });
        }
        let sum = self.charged.fetch_add(req.cents, Ordering::Relaxed) + req.cents;
        Ok(ChargeReply {
            id: sum.to_string(),
        })
    }

    /// Borrows its lines from the service until the last one is sent.
    #[bridge::rpc]
    fn statement(&self, req: ChargeRequest) -> impl bridge::Stream<Item = Result<Line, DeskError>> {
        let left = req.cents;
        let lines = self.lines.iter().map(move |cents| match cents {
            cents if *cents > left => Err(DeskError::TooMuch {
                cents: *cents,
                limit: left,
            }),
            cents => Ok(Line { cents: *cents }),
        });
        tokio_stream::iter(lines)
    }
}

fn desk() -> PaymentsClient {
    let desk = Desk {
        lines: vec![1, 20, 300],
        ..Desk::default()
    };
    let local = Local::serve(desk).build().expect("it is complete");
    local.client::<Payments>()
}

#[tokio::test]
async fn one_value_answers_all_calls() {
    let desk = desk();
    assert_eq!(desk.charge(700).await.unwrap().id, "700");
    assert_eq!(desk.charge(42).await.unwrap().id, "742");
}

#[tokio::test]
async fn an_error_comes_back_as_its_variant_with_its_fields() {
    let error = desk().charge(5_000).await.unwrap_err();
    assert_eq!(error.handler_code(), Some("TOO_MUCH"));
    assert!(
        error.message().starts_with("5000 cents is too much"),
        "{error}"
    );
    let Some(DeskError::TooMuch { cents, limit }) = error.business() else {
        panic!("it is another error: {error}");
    };
    assert_eq!((cents, limit), (5_000, 1_000));
}

#[tokio::test]
async fn a_stream_that_borrows_its_service_answers_to_the_end() {
    let mut lines = desk().statement(1_000).await.unwrap();
    let mut found = Vec::new();
    while let Some(line) = lines.next().await {
        found.push(line.unwrap().cents);
    }
    assert_eq!(found, [1, 20, 300]);
}

#[tokio::test]
async fn an_error_in_a_stream_is_its_end_and_comes_back_typed() {
    let mut lines = desk().statement(10).await.unwrap();
    assert_eq!(lines.next().await.unwrap().unwrap().cents, 1);
    let error = lines.next().await.unwrap().unwrap_err();
    assert!(
        matches!(
            error.business(),
            Some(DeskError::TooMuch {
                cents: 20,
                limit: 10
            })
        ),
        "{error}"
    );
    assert!(lines.next().await.is_none());
}

/// Says in its signature what it calls.
#[bridge::rpc]
async fn charge(
    req: ChargeRequest,
    inventory: bridge::Client<Inventory>,
) -> Result<ChargeReply, DeskError> {
    let _ = req;
    let id = format!("{inventory:?}");
    Ok(ChargeReply { id })
}

#[test]
fn a_client_nobody_gave_is_missed_before_anything_runs() {
    let error = Local::serve(bridge::handlers![charge]).build().unwrap_err();
    assert!(error.to_string().contains("InventoryClient"), "{error}");
}

#[tokio::test]
async fn a_handler_gets_the_client_it_asks_for() {
    let inventory = Local::serve(bridge::handlers![]).build().unwrap();
    let inventory: InventoryClient = inventory.client::<Inventory>();
    let local = Local::serve(bridge::handlers![charge]).state(inventory);
    let payments = local.build().unwrap().client::<Payments>();
    assert!(
        payments
            .charge(1)
            .await
            .unwrap()
            .id
            .starts_with("InventoryClient")
    );
}

#[tokio::test]
async fn a_request_without_a_bridge_has_no_client_and_says_nothing_of_the_inside() {
    #[bridge::rpc(get, "/stock")]
    async fn stock(inventory: bridge::Client<Inventory>) -> String {
        format!("{inventory:?}")
    }
    let app = Router::new().route("/stock", get(stock));
    let app = bridge::declare(app, &bridge::handlers![stock]);
    let request = Request::get("/stock").body(Body::empty()).unwrap();
    let answer = app
        .oneshot(request)
        .await
        .unwrap_or_else(|never| match never {});
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = axum::body::to_bytes(answer.into_body(), 65_536)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("InventoryClient"));
}
