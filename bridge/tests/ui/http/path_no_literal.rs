const ORDERS: &str = "/orders";

#[bridge::rpc(get, ORDERS)]
async fn list() {}

fn main() {
    let _ = bridge::handlers![list];
}
