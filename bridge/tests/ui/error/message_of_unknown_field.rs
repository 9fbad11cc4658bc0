#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(message = "no {skew} left")]
    OutOfStock { sku: String },
}

fn main() {}
