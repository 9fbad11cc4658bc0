#[derive(Debug, bridge::Error)]
enum OrderError {
    Storage {
        #[source]
        read: std::io::Error,
        #[source]
        write: std::io::Error,
    },
}

fn main() {}
