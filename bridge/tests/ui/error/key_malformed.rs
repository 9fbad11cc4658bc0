#[derive(Debug, bridge::Error)]
enum ChargeError {
    #[bridge]
    OutOfStock,
    #[bridge(code = 409)]
    Declined,
}

fn main() {}
