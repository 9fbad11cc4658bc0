#[derive(Debug, bridge::Error)]
enum ChargeError {
    #[bridge(code = "")]
    OutOfStock,
}

fn main() {}
