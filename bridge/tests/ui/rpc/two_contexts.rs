#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge(a: bridge::Context, req: ChargeRequest, b: bridge::Context) -> Charged {
    let _ = (a, req, b);
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
