#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    id: String,
    #[bridge(2)]
    customer: String,
    #[bridge(1)]
    note: String,
}

#[derive(Clone, Copy, bridge::Enumeration)]
#[bridge(package = "shop.v1")]
enum Status {
    #[bridge(0)]
    Unspecified,
    #[bridge(0)]
    Open,
    Unrecognized(i32),
}

fn main() {}
