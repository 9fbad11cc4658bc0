#[bridge::rpc(get)]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
