#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(0)]
    zero: String,
    #[bridge(19500)]
    reserved: String,
    #[bridge(536870912)]
    high: String,
    #[bridge(-1)]
    low: String,
}

#[derive(Clone, Copy, bridge::Enumeration)]
#[bridge(package = "shop.v1")]
enum Status {
    #[bridge(0)]
    Unspecified,
    #[bridge(2147483648)]
    High,
    Unrecognized(i32),
}

fn main() {}
