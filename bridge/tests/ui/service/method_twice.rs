#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Payments;

#[bridge::service]
impl Payments {
    #[bridge::rpc]
    async fn charge(&self, req: ChargeRequest) -> Charged {
        let _ = req;
        Ok(ChargeReply::default())
    }

    #[bridge::rpc(name = "Charge")]
    async fn charge_again(&self, req: ChargeRequest) -> Charged {
        let _ = req;
        Ok(ChargeReply::default())
    }
}

fn main() {
    let _ = bridge::Handlers::from(Payments);
}
