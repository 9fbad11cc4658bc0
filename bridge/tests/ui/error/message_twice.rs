#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(message = "no stock")]
    OutOfStock(String),
}

fn main() {}
