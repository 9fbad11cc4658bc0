#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(grpc = "Aborted")]
    OutOfStock,
}

fn main() {}
