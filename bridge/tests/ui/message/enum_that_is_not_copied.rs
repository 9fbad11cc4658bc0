#[derive(bridge::Enumeration)]
#[bridge(package = "shop.v1")]
enum Status {
    #[bridge(0)]
    Unspecified,
    Unrecognized(i32),
}

fn main() {}
