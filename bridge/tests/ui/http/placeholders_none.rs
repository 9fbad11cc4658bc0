use axum::extract::Path;

#[bridge::rpc(get, "/orders")]
async fn list(Path(id): Path<u64>) {
    let _ = id;
}

fn main() {
    let _ = bridge::handlers![list];
}
