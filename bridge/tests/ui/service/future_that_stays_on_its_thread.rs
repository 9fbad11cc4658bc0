#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Payments;

#[bridge::service]
impl Payments {
    #[bridge::rpc]
    async fn charge(&self, req: ChargeRequest) -> Charged {
        let here = std::rc::Rc::new(req);
        std::future::ready(()).await;
        drop(here);
        Ok(ChargeReply::default())
    }
}

fn main() {
    let _ = bridge::Handlers::from(Payments);
}
