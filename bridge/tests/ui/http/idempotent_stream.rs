use axum::response::sse::{Event, Sse};
use bridge::Stream;

#[bridge::rpc(post, "/orders", idempotent_by = "Idempotency-Key")]
async fn list() -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    Sse::new(tokio_stream::iter([]))
}

fn main() {
    let _ = bridge::handlers![list];
}
