#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc(idempotent, idempotent_within = "X-Tenant")]
async fn charge(req: ChargeRequest) -> Charged {
    let _ = req;
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
