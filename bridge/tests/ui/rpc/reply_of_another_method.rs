#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge(req: ChargeRequest) -> Result<RefundReply, ChargeError> {
    let _ = req;
    Ok(RefundReply {})
}

fn main() {
    let _ = bridge::handlers![charge];
}
