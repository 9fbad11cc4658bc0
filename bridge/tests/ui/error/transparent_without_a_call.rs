#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(transparent)]
    Storage(#[source] std::io::Error),
}

fn main() {}
