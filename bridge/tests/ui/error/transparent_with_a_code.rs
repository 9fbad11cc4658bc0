#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(transparent, code = "PAYMENTS")]
    Payments(#[from] bridge::CallError),
}

fn main() {}
