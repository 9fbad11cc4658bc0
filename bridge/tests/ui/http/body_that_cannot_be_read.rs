use axum::Json;

struct Order;

#[bridge::rpc(post, "/orders")]
async fn list(Json(new): Json<Order>) {
    let _ = new;
}

fn main() {
    let _ = bridge::handlers![list];
}
