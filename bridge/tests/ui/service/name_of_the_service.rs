#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Payments;

#[bridge::service(name = "Charge")]
impl Payments {
    #[bridge::rpc]
    async fn charge(&self, req: ChargeRequest) -> Charged {
        let _ = req;
        Ok(ChargeReply::default())
    }
}

fn main() {
    let _ = bridge::Handlers::from(Payments);
}
