struct Shop;

impl Shop {
    #[bridge::rpc(get, "/orders")]
    async fn list(&self) {}
}

fn main() {}
