use std::collections::BTreeMap;

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1, sint32, fixed32)]
    count: i32,
    #[bridge(2, key = "int32")]
    rows: BTreeMap<i32, String>,
}

fn main() {}
