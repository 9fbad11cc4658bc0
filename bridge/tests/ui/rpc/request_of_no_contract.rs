#[path = "../shop.rs"]
mod shop;
use shop::*;

pub struct Other;

#[bridge::rpc]
async fn charge(req: Other) -> Charged {
    let _ = req;
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
