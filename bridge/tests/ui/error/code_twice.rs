#[derive(Debug, bridge::Error)]
enum ChargeError {
    OutOfStock,
    #[bridge(code = "OUT_OF_STOCK")]
    Gone,
}

fn main() {}
