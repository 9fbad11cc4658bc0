use axum::extract::Path;

#[bridge::rpc(get, "/orders/{id}")]
async fn list(Path((shop, id)): Path<(String, u64)>) {
    let _ = (shop, id);
}

fn main() {
    let _ = bridge::handlers![list];
}
