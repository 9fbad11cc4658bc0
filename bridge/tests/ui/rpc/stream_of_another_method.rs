#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc]
fn charge(req: ChargeRequest) -> impl bridge::Stream<Item = Result<ChargeReply, ChargeError>> {
    let _ = req;
    tokio_stream::iter([Ok(ChargeReply::default())])
}

fn main() {
    let _ = bridge::handlers![charge];
}
