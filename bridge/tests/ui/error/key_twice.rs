#[derive(Debug, bridge::Error)]
enum ChargeError {
    #[bridge(code = "A")]
    #[bridge(code = "B")]
    OutOfStock,
}

fn main() {}
