#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Payments;

trait Charges {
    async fn charge(&self, req: ChargeRequest) -> Charged;
}

#[bridge::service]
impl Charges for Payments {
    #[bridge::rpc]
    async fn charge(&self, req: ChargeRequest) -> Charged {
        let _ = req;
        Ok(ChargeReply::default())
    }
}

fn main() {}
