#[derive(bridge::Message)]
#[bridge(3, package = "shop.v1")]
struct Order {
    #[bridge(1, 2)]
    id: String,
    #[bridge(3, sint)]
    count: i32,
    #[bridge]
    note: String,
}

#[derive(bridge::Oneof)]
#[bridge(package = "shop.v1")]
enum Method {
    #[bridge(1, oneof)]
    Card(String),
}

#[derive(Clone, Copy, bridge::Enumeration)]
#[bridge(package = "shop.v1")]
enum Status {
    #[bridge(0, json = "open")]
    Open,
    Unrecognized(i32),
}

fn main() {}
