struct Money;

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    prices: Vec<Money>,
}

fn main() {}
