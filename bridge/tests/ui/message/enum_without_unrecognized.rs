#[derive(Clone, Copy, bridge::Enumeration)]
#[bridge(package = "shop.v1")]
enum Status {
    #[bridge(0)]
    Unspecified,
}

#[derive(Clone, Copy, bridge::Enumeration)]
#[bridge(package = "shop.v1")]
enum Other {
    #[bridge(0)]
    Unspecified,
    #[bridge(1)]
    Unrecognized,
}

fn main() {}
