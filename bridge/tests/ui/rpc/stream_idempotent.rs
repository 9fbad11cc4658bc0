#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc(name = "Statement", idempotent)]
fn charge(req: ChargeRequest) -> impl bridge::Stream<Item = Result<Line, ChargeError>> {
    let _ = req;
    tokio_stream::iter([Ok(Line::default())])
}

fn main() {
    let _ = bridge::handlers![charge];
}
