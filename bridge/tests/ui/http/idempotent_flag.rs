#[bridge::rpc(post, "/orders", idempotent)]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
