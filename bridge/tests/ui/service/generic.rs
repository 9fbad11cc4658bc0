#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Payments<T>(T);

#[bridge::service]
impl<T> Payments<T> {
    #[bridge::rpc]
    async fn charge(&self, req: ChargeRequest) -> Charged {
        let _ = req;
        Ok(ChargeReply::default())
    }
}

fn main() {}
