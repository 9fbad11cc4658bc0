#[bridge::rpc(get, "/files/*rest")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
