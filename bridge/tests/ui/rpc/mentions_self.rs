#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Payments;

impl Payments {
    #[bridge::rpc]
    async fn charge(req: ChargeRequest) -> Result<Self, ChargeError> {
        let _ = req;
        Ok(Self)
    }
}

fn main() {}
