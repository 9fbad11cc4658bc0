//! What generated code names of the SDK, as little of it as the tests need.

/// The part of the SDK that generated code names, recording calls instead of making them.
pub mod __rt {
    pub use contract::{codec, describe_enum, describe_message, message, message_impls};
    pub use {prost, prost_types};

    /// Stands for what makes a client an extractor: only the two names matter here.
    #[macro_export]
    macro_rules! client_impls {
        ($client:ident, $contract:ident) => {
            impl $crate::Calls for $client {
                type Contract = $contract;
            }
        };
    }
    pub use client_impls;

    use std::marker::PhantomData;

    #[derive(Debug)]
    pub struct MethodMeta {
        pub service: &'static str,
        pub name: &'static str,
        pub contract_hash: &'static str,
        pub input_schema: &'static str,
        pub output_schema: &'static str,
        pub streaming: bool,
    }

    #[derive(Debug)]
    pub struct JsonForm {
        pub input: &'static message::MessageTable,
        pub output: &'static message::MessageTable,
        pub verb: &'static str,
        pub path: &'static str,
        pub body: &'static str,
        pub response_body: &'static str,
    }

    pub trait Contract {
        const NAME: &'static str;
        const DEFAULT_TARGET: &'static str;
        const METHODS: &'static [MethodMeta];
        const FORMS: &'static [JsonForm];
        type Client: From<Target> + Clone + Send + Sync + 'static;
    }

    pub trait RpcRequest<Reply>: prost::Message + Default + 'static {
        const METHODS: &'static [MethodMeta];
    }

    pub trait RpcStreamRequest<Item>: prost::Message + Default + 'static {
        const METHODS: &'static [MethodMeta];
    }

    #[derive(Clone, Debug)]
    pub struct Target;

    impl Target {
        pub fn unary<Req: prost::Message, Rep: prost::Message + Default>(
            &self,
            method: &'static MethodMeta,
            request: Req,
        ) -> super::Call<Rep> {
            let (payload, reply) = (request.encode_to_vec(), PhantomData);
            super::Call {
                method,
                payload,
                reply,
            }
        }

        pub fn stream<Req: prost::Message, Item: prost::Message + Default>(
            &self,
            method: &'static MethodMeta,
            request: Req,
        ) -> super::StreamCall<Item> {
            super::StreamCall(self.unary(method, request))
        }
    }

    #[derive(Debug)]
    pub struct States;

    /// From the bytes of a request to those of all replies.
    pub type Answer = Box<dyn Fn(&[u8]) -> Vec<Vec<u8>>>;

    /// What a server trait makes of one rpc: the answer to a request, as bytes.
    #[allow(missing_debug_implementations)]
    pub struct OperationDef {
        pub meta: &'static MethodMeta,
        pub site: &'static str,
        pub answer: Answer,
    }

    impl OperationDef {
        pub fn unary<Req, Rep, E, F, Fut, B>(
            meta: &'static MethodMeta,
            site: &'static str,
            build: B,
        ) -> Self
        where
            B: Fn(&States) -> Result<F, ()> + Send + Sync + 'static,
            F: Fn(Req, super::Context) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<Rep, E>> + Send + 'static,
            E: super::BusinessError,
            Rep: prost::Message,
            Req: prost::Message + Default + 'static,
        {
            let handler = build(&States).expect("no state is needed");
            let answer = Box::new(move |request: &[u8]| {
                let request = Req::decode(request).expect("a request");
                let reply = super::finish(handler(request, super::Context));
                vec![reply.ok().expect("an answer").encode_to_vec()]
            });
            Self { meta, site, answer }
        }

        pub fn stream<Req, Item, E, F, S, B>(
            meta: &'static MethodMeta,
            site: &'static str,
            build: B,
        ) -> Self
        where
            B: Fn(&States) -> Result<F, ()> + Send + Sync + 'static,
            F: Fn(Req, super::Context) -> S + Send + Sync + 'static,
            S: super::Stream<Item = Result<Item, E>> + Send + 'static,
            E: super::BusinessError,
            Item: prost::Message,
            Req: prost::Message + Default + 'static,
        {
            let handler = build(&States).expect("no state is needed");
            let answer = Box::new(move |request: &[u8]| {
                let request = Req::decode(request).expect("a request");
                let items = super::drain(handler(request, super::Context));
                let bytes = |it: Result<Item, E>| it.ok().expect("an item").encode_to_vec();
                items.into_iter().map(bytes).collect()
            });
            Self { meta, site, answer }
        }
    }
}

/// Which contract a client speaks.
pub trait Calls {
    type Contract: __rt::Contract<Client = Self>;
}

#[derive(Debug)]
pub struct Call<Rep> {
    pub method: &'static __rt::MethodMeta,
    pub payload: Vec<u8>,
    pub reply: std::marker::PhantomData<Rep>,
}

#[derive(Debug)]
pub struct StreamCall<Item>(pub Call<Item>);

#[derive(Debug)]
pub struct Context;

/// Where a client is told to call.
#[derive(Debug)]
pub struct Remote;

#[derive(Debug)]
pub struct Error;

impl Remote {
    pub fn grpc(url: &str) -> Result<Self, Error> {
        url.starts_with("http://").then_some(Self).ok_or(Error)
    }

    pub fn client<C: __rt::Contract>(self) -> C::Client {
        __rt::Target.into()
    }
}

pub trait BusinessError {}

impl BusinessError for std::convert::Infallible {}

#[allow(missing_debug_implementations)]
pub struct Handlers(pub Vec<__rt::OperationDef>);

impl Handlers {
    pub fn from_operations(operations: Vec<__rt::OperationDef>) -> Self {
        Self(operations)
    }
}

pub use tokio_stream::Stream;

/// Runs a future that never waits.
fn finish<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!("nothing to wait for"),
    }
}

/// All items of a stream that never waits.
fn drain<S: Stream>(stream: S) -> Vec<S::Item> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut stream = std::pin::pin!(stream);
    let mut items = Vec::new();
    while let std::task::Poll::Ready(Some(item)) = stream.as_mut().poll_next(&mut context) {
        items.push(item);
    }
    items
}
