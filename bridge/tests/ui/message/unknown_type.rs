struct Money;

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    price: Money,
}

fn main() {}
