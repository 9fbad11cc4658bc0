struct Stock;

#[bridge::rpc(get, "/stock")]
async fn stock(stock: bridge::Client<Stock>) {
    let _ = stock;
}

fn main() {
    let _ = bridge::handlers![stock];
}
