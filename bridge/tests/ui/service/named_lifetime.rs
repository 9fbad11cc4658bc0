#[path = "../shop.rs"]
mod shop;
use shop::*;

struct Desk {
    lines: Vec<Line>,
}

#[bridge::service]
impl Desk {
    #[bridge::rpc]
    fn statement<'a>(
        &'a self,
        req: ChargeRequest,
    ) -> impl bridge::Stream<Item = Result<Line, ChargeError>> + 'a {
        let _ = req;
        tokio_stream::iter(self.lines.iter().cloned().map(Ok))
    }
}

fn main() {}
