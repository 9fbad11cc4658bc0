#[bridge::rpc(post, "/orders", required)]
async fn place() {}

fn main() {
    let _ = bridge::handlers![place];
}
