#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    order_id: String,
    #[bridge(2, name = "order_id")]
    id: String,
    #[bridge(3, json = "note")]
    text: String,
    #[bridge(4)]
    note: String,
}

#[derive(Clone, Copy, bridge::Enumeration)]
#[bridge(package = "shop.v1")]
enum Status {
    #[bridge(0)]
    Unspecified,
    #[bridge(1, name = "STATUS_UNSPECIFIED")]
    Open,
    Unrecognized(i32),
}

fn main() {}
