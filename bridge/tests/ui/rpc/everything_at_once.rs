#[path = "../shop.rs"]
mod shop;

#[bridge::rpc(nam = "Charge", name = "")]
fn charge(a: bridge::Context, b: &bridge::Context) {
    let _ = (a, b);
}

fn main() {
    let _ = bridge::handlers![charge];
}
