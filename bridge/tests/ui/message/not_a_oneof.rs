#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(oneof)]
    method: Option<String>,
}

fn main() {}
