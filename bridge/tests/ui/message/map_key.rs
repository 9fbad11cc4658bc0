use std::collections::BTreeMap;

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    prices: BTreeMap<f64, String>,
}

fn main() {}
