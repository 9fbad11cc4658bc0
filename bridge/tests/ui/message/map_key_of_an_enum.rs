use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, bridge::Enumeration)]
#[bridge(package = "shop.v1")]
enum Status {
    #[bridge(0)]
    Unspecified,
    Unrecognized(i32),
}

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(1)]
    counts: BTreeMap<Status, u32>,
}

fn main() {}
