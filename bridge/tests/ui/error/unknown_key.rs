#[derive(Debug, bridge::Error)]
enum ChargeError {
    #[bridge(code = "OUT_OF_STOCK", status = 409)]
    OutOfStock,
}

fn main() {}
