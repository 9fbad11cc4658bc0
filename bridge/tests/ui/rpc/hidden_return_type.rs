#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge(req: ChargeRequest) -> Result<impl Clone, ChargeError> {
    Ok(req)
}

fn main() {
    let _ = bridge::handlers![charge];
}
