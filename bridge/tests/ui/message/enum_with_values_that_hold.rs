#[derive(Clone, bridge::Enumeration)]
#[bridge(package = "shop.v1")]
enum Status {
    #[bridge(0)]
    Open,
    #[bridge(1)]
    Failed(String),
    Unrecognized(i32),
}

fn main() {}
