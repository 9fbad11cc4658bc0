//! Handlers that no list has: their attributes do nothing, so rustc says so at each.
#![deny(dead_code)]

#[path = "../shop.rs"]
#[allow(dead_code)]
mod shop;
use shop::*;

mod orders {
    #[bridge::rpc(get, "/orders", deadline = "2s")]
    pub(super) async fn mounted() -> &'static str {
        "an order"
    }

    #[bridge::rpc(get, "/orders/{id}")]
    pub(super) async fn listed(_: axum::extract::Path<u64>) -> &'static str {
        "an order"
    }

    #[bridge::rpc(post, "/orders")]
    #[allow(dead_code)]
    pub(super) async fn meant() -> &'static str {
        "an order"
    }
}

#[bridge::rpc]
async fn charge(req: ChargeRequest) -> Charged {
    let _ = req;
    Ok(ChargeReply::default())
}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/orders", axum::routing::get(orders::mounted).post(orders::meant))
        .route("/orders/{id}", axum::routing::get(orders::listed));
    let _ = bridge::handlers![orders::listed];
}
