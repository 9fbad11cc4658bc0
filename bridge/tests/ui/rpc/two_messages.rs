#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge(req: ChargeRequest, db: Db) -> Charged {
    let _ = (req, db);
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
