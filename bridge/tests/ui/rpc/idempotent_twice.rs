#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc(idempotent, idempotent_by = "cents")]
async fn charge(req: ChargeRequest) -> Charged {
    let _ = req;
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
