#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(status = 200)]
    OutOfStock,
}

fn main() {}
