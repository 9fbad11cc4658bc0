#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1, sint32)]
    title: String,
}

fn main() {}
