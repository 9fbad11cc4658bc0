#[path = "../shop.rs"]
mod shop;
use shop::*;

type State = bridge::State<Db>;

#[bridge::rpc]
async fn charge(db: State, req: ChargeRequest) -> Charged {
    let _ = (db, req);
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
