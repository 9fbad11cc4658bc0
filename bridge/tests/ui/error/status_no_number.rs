#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(status = "409")]
    OutOfStock,
}

fn main() {}
