#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge(req: impl Into<ChargeRequest>) -> Charged {
    let _ = req.into();
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
