#[derive(bridge::Oneof)]
enum Method {
    #[bridge(2)]
    Voucher(String),
}

#[derive(bridge::Oneof)]
enum Sender {
    #[bridge(3)]
    Shop(String),
}

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    method: String,
    #[bridge(oneof, name = "method")]
    paid: Option<Method>,
}

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Parcel {
    #[bridge(oneof)]
    by: Option<Method>,
    #[bridge(oneof, name = "by")]
    from: Option<Sender>,
}

fn main() {}
