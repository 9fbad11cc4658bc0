#[derive(bridge::Message)]
struct NoPackage {
    #[bridge(1)]
    id: String,
}

#[derive(bridge::Message)]
#[bridge(package = "shop..v1", name = "Order-Line")]
struct Line {
    #[bridge(1, name = "1st")]
    id: String,
    #[bridge(2)]
    größe: u32,
    #[bridge(3, json = "")]
    note: String,
    #[bridge(4, json = "[note]")]
    more: String,
}

fn main() {}
