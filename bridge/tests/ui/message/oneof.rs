#[derive(bridge::Oneof)]
enum Method {
    #[bridge(1)]
    Card(String),
}

#[derive(bridge::Oneof)]
enum Other {
    #[bridge(3)]
    Pair(String, String),
    #[bridge(4)]
    Named { text: String },
    #[bridge(5)]
    Nothing,
}

#[derive(bridge::Message)]
#[bridge(package = "shop.v1")]
struct Order {
    #[bridge(oneof)]
    plain: Method,
    #[bridge(2, oneof)]
    numbered: Option<Method>,
}

fn main() {}

#[derive(bridge::Oneof)]
enum Never {}
