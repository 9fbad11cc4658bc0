#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Line {
    #[bridge(1)]
    sku: String,
}

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    line: Line,
}

fn main() {}
