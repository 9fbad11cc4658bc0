#[derive(bridge::Oneof)]
enum Method {
    #[bridge(1)]
    Card(String),
}

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(2)]
    method: Option<Method>,
}

fn main() {}
