#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Pool;

#[bridge::rpc]
async fn charge(pool: bridge::State<Pool>, req: ChargeRequest) -> Charged {
    let _ = (pool, req);
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
