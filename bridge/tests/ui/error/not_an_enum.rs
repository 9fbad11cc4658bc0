#[derive(Debug, bridge::Error)]
struct ChargeError {
    code: String,
}

fn main() {}
