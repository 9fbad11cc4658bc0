#[bridge::rpc(get, "/open orders")]
async fn open() {}

#[bridge::rpc(get, "/größen/{größe}")]
async fn size() {}

fn main() {
    let _ = bridge::handlers![open, size];
}
