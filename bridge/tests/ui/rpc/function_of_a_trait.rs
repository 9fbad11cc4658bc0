#[path = "../shop.rs"]
mod shop;
use shop::*;

trait Payments {
    #[bridge::rpc]
    async fn charge(req: ChargeRequest) -> Charged;
}

fn main() {}
