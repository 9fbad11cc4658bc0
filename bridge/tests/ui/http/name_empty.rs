#[bridge::rpc(get, "/orders", name = "")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
