#[path = "../shop.rs"]
mod shop;
use shop::*;

#[bridge::rpc(name = "Statement")]
fn charge(req: ChargeRequest) -> impl bridge::Stream {
    let _ = req;
    tokio_stream::iter([Ok::<Line, ChargeError>(Line::default())])
}

fn main() {
    let _ = bridge::handlers![charge];
}
