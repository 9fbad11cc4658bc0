#[bridge::rpc("post", "/orders")]
async fn place() {}

#[bridge::rpc(post "/orders/{id}")]
async fn change() {}

#[bridge::rpc(method = "get", path = "/orders")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![place, change, list];
}
