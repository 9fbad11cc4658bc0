#[derive(Debug, bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    id: String,
}

fn main() {}
