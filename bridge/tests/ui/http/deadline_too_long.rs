#[bridge::rpc(get, "/orders", deadline = "2d")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
