#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge(req: ChargeRequest) {
    let _ = req;
}

fn main() {
    let _ = bridge::handlers![charge];
}
