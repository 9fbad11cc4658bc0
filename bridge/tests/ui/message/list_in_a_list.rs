#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    rows: Vec<Vec<String>>,
}

fn main() {}
