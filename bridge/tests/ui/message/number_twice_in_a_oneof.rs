#[derive(bridge::Oneof)]
enum Method {
    #[bridge(2)]
    Card(String),
    #[bridge(3)]
    Voucher(String),
}

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    id: String,
    #[bridge(oneof)]
    method: Option<Method>,
    #[bridge(3)]
    note: String,
}

fn main() {}
