#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge(req: ChargeRequest) -> ChargeReply {
    let _ = req;
    ChargeReply::default()
}

fn main() {
    let _ = bridge::handlers![charge];
}
