#[derive(Debug, bridge::Error)]
enum ChargeError {
    Declined(u32),
    Refused(String, String),
}

fn main() {}
