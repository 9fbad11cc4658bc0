#[derive(Debug, bridge::Error)]
enum ChargeError {
    #[bridge(retry = 3)]
    OutOfStock,
}

fn main() {}
