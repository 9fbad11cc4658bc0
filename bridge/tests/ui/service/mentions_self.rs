#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Payments;

#[bridge::service]
impl Payments {
    #[bridge::rpc]
    async fn charge(&self, req: ChargeRequest) -> Result<Self, ChargeError> {
        let _ = req;
        Ok(Payments)
    }
}

fn main() {
    let _ = bridge::Handlers::from(Payments);
}
