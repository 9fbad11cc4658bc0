#[bridge::rpc(get, "/orders")]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list, #[cfg(debug_assertions)] orders::list];
}
