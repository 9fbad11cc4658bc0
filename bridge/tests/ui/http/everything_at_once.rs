use axum::extract::Path;

#[bridge::rpc(get, "orders", deadline = "soon", idempotent_by = "a b", retry = 3)]
async fn list(body: String, Path(id): Path<u64>) {
    let _ = (body, id);
}

fn main() {
    let _ = bridge::handlers![list];
}
