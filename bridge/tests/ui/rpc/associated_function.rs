#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Payments;

impl Payments {
    #[bridge::rpc]
    async fn charge(req: ChargeRequest) -> Charged {
        let _ = req;
        Ok(ChargeReply::default())
    }
}

fn main() {}
