#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Pair(String, String);

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
enum Order {
    Open,
}

#[derive(bridge::Oneof)]
struct Method {
    card: String,
}

fn main() {}
