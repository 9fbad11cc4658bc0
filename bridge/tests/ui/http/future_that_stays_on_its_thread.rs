#[bridge::rpc(get, "/orders")]
async fn list() {
    let here = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(here);
}

fn main() {
    let _ = bridge::handlers![list];
}
