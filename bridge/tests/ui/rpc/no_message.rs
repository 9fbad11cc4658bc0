#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge() -> Charged {
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
