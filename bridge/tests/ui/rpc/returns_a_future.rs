#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
fn charge(req: ChargeRequest) -> impl Future<Output = Charged> {
    async move {
        let _ = req;
        Ok(ChargeReply::default())
    }
}

fn main() {
    let _ = bridge::handlers![charge];
}
