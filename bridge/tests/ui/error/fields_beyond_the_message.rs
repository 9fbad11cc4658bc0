#[derive(Debug, bridge::Error)]
enum ChargeError {
    OutOfStock { sku: String },
    Declined(u32),
    Refused(String, String),
}

fn main() {}
