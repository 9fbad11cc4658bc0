#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(message = "storage: {source}")]
    Storage {
        #[source]
        source: std::io::Error,
        order: String,
    },
    #[bridge(message = "network: {0}")]
    Network(#[from] std::io::Error),
    #[bridge(message = "{order}: {{source}}")]
    Right {
        #[source]
        source: std::io::Error,
        order: String,
    },
}

fn main() {}
