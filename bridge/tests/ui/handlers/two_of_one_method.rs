#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge(req: ChargeRequest) -> Charged {
    let _ = req;
    Ok(ChargeReply::default())
}

#[bridge::rpc(name = "Charge")]
async fn charge_again(req: ChargeRequest) -> Charged {
    charge(req).await
}

fn main() {
    let _ = bridge::handlers![charge, charge_again];
}
