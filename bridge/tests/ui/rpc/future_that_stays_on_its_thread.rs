#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
async fn charge(req: ChargeRequest) -> Charged {
    let local = std::rc::Rc::new(req);
    std::future::ready(()).await;
    drop(local);
    Ok(ChargeReply::default())
}

fn main() {
    let _ = bridge::handlers![charge];
}
