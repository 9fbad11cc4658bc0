#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc(idempotent_by = "order_id")]
async fn charge(req: ChargeRequest) -> Charged {
    let _ = req;
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
