//! Promises with a runtime that keeps no outcomes: they hold within a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::mesh::Mesh;
use super::mesh_tests::HOUR;
use super::*;
use crate::Context;
use crate::handler::{MethodMeta, OperationDef};
use crate::key::Idempotent;
use crate::operation::Handlers;
use crate::rpc::{Call, Contract, Target};

static TILL: &[MethodMeta] = &[MethodMeta {
    service: "t.Till",
    name: "Charge",
    contract_hash: "v2:till",
    input_schema: "{}",
    output_schema: "{}",
    streaming: false,
}];

struct Till;

impl Contract for Till {
    const NAME: &'static str = "t.Till";
    const DEFAULT_TARGET: &'static str = "till";
    const METHODS: &'static [MethodMeta] = TILL;
    type Client = TillClient;
}

#[derive(Clone)]
struct TillClient(Target);

impl From<Target> for TillClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl TillClient {
    fn charge(&self, order: &str) -> Call<u64> {
        self.0.unary(&TILL[0], order.to_owned())
    }
}

fn charge(charged: &Arc<AtomicUsize>) -> Handlers {
    let charged = charged.clone();
    let operation = OperationDef::unary(&TILL[0], "tests::charge", move |_| {
        let charged = charged.clone();
        Ok(move |_: String, _: Context| {
            let number = charged.fetch_add(1, Ordering::SeqCst) + 1;
            async move { Ok::<_, std::convert::Infallible>(number as u64) }
        })
    });
    let by_order = Idempotent::by_field(|order: &String| order.clone());
    Handlers::from_operations(vec![operation.idempotent(by_order)])
}

#[tokio::test]
async fn where_the_runtime_keeps_no_outcomes_the_process_does() {
    let mesh = Mesh::start(HOUR).await;
    let charged = Arc::default();
    let builder = Bridge::builder("till").runtime(mesh.address(), mesh.key("till"));
    let builder = builder.advertise("127.0.0.1:0").serve(charge(&charged));
    let till = builder.start().await.expect("starts");
    let mut builder = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    let client = builder.client::<Till>();
    let orders = builder.start().await.expect("starts");
    for (order, number) in [("o-1", 1), ("o-2", 2), ("o-1", 1), ("o-2", 2)] {
        assert_eq!(
            client.charge(order).await.expect("charged"),
            number,
            "{order}"
        );
    }
    assert_eq!(charged.load(Ordering::SeqCst), 2);
    orders.stop().await;
    till.stop().await;
}
