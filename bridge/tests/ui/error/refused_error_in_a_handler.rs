#[path = "../shop.rs"]
mod shop;
use shop::{ChargeReply, ChargeRequest};

#[derive(Debug, bridge::Error)]
enum MyError {
    OutOfStock(u32),
}

#[bridge::rpc]
async fn charge(req: ChargeRequest) -> Result<ChargeReply, MyError> {
    let _ = req;
    Ok(ChargeReply::default())
}

fn main() {}
