#[bridge::rpc(get, "/orders/:id")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
