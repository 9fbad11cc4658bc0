#[derive(Debug, bridge::Error)]
enum OrderError {
    OutOfStock { status: u32 },
}

fn main() {}
