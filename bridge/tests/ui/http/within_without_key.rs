#[bridge::rpc(post, "/orders", idempotent_within = "X-Tenant")]
async fn place() {}

fn main() {
    let _ = bridge::handlers![place];
}
