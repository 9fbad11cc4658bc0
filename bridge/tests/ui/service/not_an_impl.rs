#[bridge::service]
struct Payments;

fn main() {}
