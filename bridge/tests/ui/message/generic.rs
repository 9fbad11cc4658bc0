#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Page<'a> {
    #[bridge(1)]
    title: &'a str,
}

fn main() {}
