#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    id: String,
    #[bridge(name = "lines")]
    rows: Vec<String>,
}

#[derive(Clone, Copy, bridge::Enumeration)]
#[bridge(package = "shop.v1")]
#[repr(i32)]
enum Status {
    Unspecified = 0,
    Unrecognized(i32),
}

fn main() {}
