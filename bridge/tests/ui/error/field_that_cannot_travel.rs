#[derive(Debug, bridge::Error)]
enum OrderError {
    OutOfStock { since: std::time::Instant },
}

fn main() {}
