#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Stock;

#[bridge::rpc]
async fn charge(req: ChargeRequest, stock: bridge::Client<Stock>) -> Charged {
    let _ = (req, stock);
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
