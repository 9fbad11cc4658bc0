#[derive(bridge::Oneof)]
enum Method {
    #[bridge(2)]
    Card(String),
}

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(oneof)]
    card: Option<Method>,
}

fn main() {}
