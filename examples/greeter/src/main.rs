//! A runtime, a service and its caller in one process: the second level of adoption, complete.
//! The guide of `bridge` shows this file; a test holds them together.

#![allow(clippy::print_stdout)] // what it shows

use std::time::Duration;

use bridge::embedded::Runtime;
use bridge::{Bridge, Stream};

bridge::include_contract!("hello.greeter.v1");

#[derive(Debug, bridge::Error)]
enum GreetError {
    NameMissing,
}

struct Host {
    greeting: &'static str,
}

#[bridge::service]
impl Host {
    #[bridge::rpc]
    async fn greet(&self, request: GreetRequest) -> Result<GreetReply, GreetError> {
        if request.name.is_empty() {
            return Err(GreetError::NameMissing);
        }
        let text = format!("{}, {}", self.greeting, request.name);
        let text = match request.tone {
            Tone::Loud => text.to_uppercase(),
            _ => text,
        };
        Ok(GreetReply { text })
    }

    #[bridge::rpc]
    fn count_down(
        &self,
        request: CountDownRequest,
    ) -> impl Stream<Item = Result<Tick, GreetError>> + use<> {
        tokio_stream::iter((0..=request.from).rev().map(|left| Ok(Tick { left })))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Here the runtime is in the same process.
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::builder(folder.path()).start().await?;

    let host = Host { greeting: "Hello" };
    let service = Bridge::builder("greeter")
        .runtime(runtime.address(), runtime.key("greeter").await?)
        .advertise("127.0.0.1:0")
        .serve(host)
        .start()
        .await?;

    // Another service, which only calls.
    let mut caller = Bridge::builder("visitor")
        .runtime(runtime.address(), runtime.key("visitor").await?)
        .caller_only();
    let greeter = caller.client::<Greeter>();
    let visitor = caller.start().await?;

    let request = GreetRequest {
        name: "Ada".to_owned(),
        tone: Tone::Loud,
    };
    let reply = greeter
        .greet(request)
        .timeout(Duration::from_secs(2))
        .await?;
    println!("{}", reply.text);

    let mut ticks = greeter.count_down(CountDownRequest { from: 3 }).await?;
    while let Some(tick) = ticks.next().await {
        println!("{}", tick?.left);
    }

    let nobody = greeter.greet(GreetRequest::default()).await;
    let error = nobody.err().and_then(|it| it.business::<GreetError>());
    assert!(matches!(error, Some(GreetError::NameMissing)));

    visitor.stop().await;
    service.stop().await;
    runtime.stop().await;
    Ok(())
}
