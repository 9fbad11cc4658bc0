struct Order;

#[bridge::rpc(get, "/orders")]
async fn list() -> Order {
    Order
}

fn main() {
    let _ = bridge::handlers![list];
}
