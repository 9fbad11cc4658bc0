#[bridge::rpc(get, "/shops/{id}/orders/{id}")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
