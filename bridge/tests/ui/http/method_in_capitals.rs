#[bridge::rpc(GET, "/orders")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
