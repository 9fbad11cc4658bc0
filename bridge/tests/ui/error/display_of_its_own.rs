#[derive(Debug, bridge::Error)]
enum OrderError {
    Closed,
}

impl std::fmt::Display for OrderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed")
    }
}

fn main() {}
