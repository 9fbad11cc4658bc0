#[bridge::rpc(post, "/orders", idempotent_by = "Authorization")]
async fn place() {}

#[bridge::rpc(post, "/payments", idempotent_by = "content-type")]
async fn pay() {}

fn main() {
    let _ = bridge::handlers![place, pay];
}
