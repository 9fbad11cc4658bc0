#[bridge::rpc(get, "/orders", idempotent_by = "Idempotency-Key")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
