//! Without feature `mesh` there is nothing that would serve messages.

struct GreetRequest;
struct GreetReply;

#[bridge::rpc]
async fn greet(_: GreetRequest) -> Result<GreetReply, std::convert::Infallible> {
    Ok(GreetReply)
}

struct Desk;

impl Desk {
    #[bridge::rpc]
    async fn welcome(&self, _: GreetRequest) -> Result<GreetReply, std::convert::Infallible> {
        Ok(GreetReply)
    }
}

fn main() {
    let _ = bridge::handlers![greet];
}
