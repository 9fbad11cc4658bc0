#[derive(Debug, bridge::Error)]
enum ChargeError<const N: usize> {
    Declined(String),
}

fn main() {}
