#[derive(Debug, bridge::Error)]
enum OrderError {
    Storage {
        #[from]
        cause: std::io::Error,
        order: String,
    },
}

fn main() {}
