#[bridge::rpc(get, "/orders/{id}")]
async fn order() {}

mod admin {
    #[bridge::rpc(get, "/orders/{order}")]
    pub async fn order() {}
}

fn main() {
    let _ = bridge::handlers![order, admin::order];
}
