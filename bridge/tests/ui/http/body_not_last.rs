use axum::Json;
use axum::extract::Query;

#[bridge::rpc(post, "/orders")]
async fn list(Json(new): Json<String>, Query(page): Query<u32>) {
    let _ = (new, page);
}

fn main() {
    let _ = bridge::handlers![list];
}
