#[bridge::rpc(get, "/orders"; deadline = "1s")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
