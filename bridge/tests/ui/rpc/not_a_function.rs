#[path = "../shop.rs"]
mod shop;


#[bridge::rpc]
pub struct Charge {}

fn main() {
}
