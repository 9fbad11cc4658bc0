//! Typed RPC between services over mutual TLS, from a key and an annotation.
//!
//! A service holds a key, starts a [`Bridge`], and from then on its handlers can be called by
//! other services and its clients call theirs: identified, balanced, traced. A runtime tells
//! services about each other; calls go straight from one to the other and go on while the
//! runtime is away.
//!
//! ```no_run
//! # use bridge::{Bridge, Context, State};
//! # use bridge::__rt::{MethodMeta, RpcRequest, Target, prost};
//! # #[derive(Clone, PartialEq, prost::Message)]
//! # #[prost(prost_path = "bridge::__rt::prost")]
//! # struct ChargeRequest { #[prost(string, tag = "1")] order_id: String, #[prost(int64, tag = "2")] cents: i64 }
//! # #[derive(Clone, PartialEq, prost::Message)]
//! # #[prost(prost_path = "bridge::__rt::prost")]
//! # struct ChargeReply { #[prost(bool, tag = "1")] ok: bool }
//! # const METHODS: &[MethodMeta] = &[MethodMeta { service: "shop.payments.v1.Payments", name: "Charge",
//! #     contract_hash: "v2:00", input_schema: "{}", output_schema: "{}", streaming: false }];
//! # impl RpcRequest<ChargeReply> for ChargeRequest { const METHODS: &'static [MethodMeta] = METHODS; }
//! # struct Inventory;
//! # #[derive(Clone)] struct InventoryClient;
//! # impl From<Target> for InventoryClient { fn from(_: Target) -> Self { Self } }
//! # impl bridge::Contract for Inventory {
//! #     const NAME: &'static str = "shop.inventory.v1.Inventory";
//! #     const DEFAULT_TARGET: &'static str = "inventory";
//! #     const METHODS: &'static [MethodMeta] = &[];
//! #     type Client = InventoryClient;
//! # }
//! # fn router(_: InventoryClient) -> axum::Router { axum::Router::new() }
//! # #[derive(Clone)] struct Bank;
//! # impl Bank {
//! #     fn open() -> Self { Self }
//! #     async fn charge(&self, _: String, _: i64, _: Option<&str>) -> Result<ChargeReply, ChargeError> {
//! #         Err(ChargeError::CardDeclined)
//! #     }
//! # }
//! # /*
//! bridge::include_contract!("shop.payments.v1");            // made by build.rs from a .proto
//! # */
//!
//! #[derive(Debug, bridge::Error)]
//! enum ChargeError {
//!     CardDeclined,
//! }
//!
//! #[bridge::rpc]
//! async fn charge(State(bank): State<Bank>, req: ChargeRequest, ctx: Context)
//!     -> Result<ChargeReply, ChargeError>
//! {
//!     bank.charge(req.order_id, req.cents, ctx.idempotency_key()).await
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), bridge::Error> {
//!     let mut builder = Bridge::from_env("payments")?;       // BRIDGE_URL, BRIDGE_KEY
//!     let inventory = builder.client::<Inventory>();         // usable once started
//!     let bridge = builder
//!         .advertise("127.0.0.1:0")
//!         .serve(bridge::handlers![charge])
//!         .state(Bank::open())
//!         .start()
//!         .await?;
//!     bridge.stop_on_signals()?;
//!
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await.expect("a free port");
//!     bridge.serve_http(listener, router(inventory)).await   // returns when stopped
//! }
//! ```
//!
//! Calling is awaiting; what differs from the defaults is said in between:
//!
//! ```no_run
//! # use std::time::Duration;
//! # struct Client;
//! # impl Client { fn reserve(&self, _: ()) -> bridge::Call<()> { unreachable!("an example that does not run") } }
//! # async fn example(inventory: Client, request: ()) -> Result<(), bridge::CallError> {
//! let left = inventory.reserve(request).timeout(Duration::from_secs(2)).await?;
//! # Ok(left) }
//! ```
//!
//! Inside a handler a call joins the handler's trace and never outlives its deadline.
//!
//! A method that `returns (stream …)` is served by a function that returns a stream, and read
//! message by message. The reader sets the pace; one that leaves stops the handler:
//!
//! ```no_run
//! # use bridge::__rt::{MethodMeta, RpcStreamRequest, prost};
//! # #[derive(Clone, PartialEq, prost::Message)]
//! # #[prost(prost_path = "bridge::__rt::prost")]
//! # struct StatementRequest { #[prost(uint32, tag = "1")] lines: u32 }
//! # #[derive(Clone, PartialEq, prost::Message)]
//! # #[prost(prost_path = "bridge::__rt::prost")]
//! # struct Line { #[prost(uint32, tag = "1")] number: u32 }
//! # const METHODS: &[MethodMeta] = &[MethodMeta { service: "shop.payments.v1.Payments", name: "Statement",
//! #     contract_hash: "v2:00", input_schema: "{}", output_schema: "{}", streaming: true }];
//! # impl RpcStreamRequest<Line> for StatementRequest { const METHODS: &'static [MethodMeta] = METHODS; }
//! # #[derive(Debug, bridge::Error)] enum StatementError { Closed }
//! # struct Client;
//! # impl Client { fn statement(&self, _: StatementRequest) -> bridge::StreamCall<Line> { unreachable!("an example that does not run") } }
//! use bridge::Stream;
//!
//! #[bridge::rpc]
//! fn statement(req: StatementRequest) -> impl Stream<Item = Result<Line, StatementError>> {
//!     tokio_stream::iter((1..=req.lines).map(|number| Ok(Line { number })))
//! }
//!
//! # async fn example(payments: Client) -> Result<(), bridge::CallError> {
//! let mut lines = payments.statement(StatementRequest { lines: 3 }).await?;
//! while let Some(line) = lines.next().await {
//!     println!("{}", line?.number);
//! }
//! # Ok(()) }
//! # fn main() {}
//! ```
//!
//! The same typed client calls a server of plain gRPC at an address ([`Remote`]), handlers of the
//! same process ([`Local`]), or a script of a test ([`Mock`]).
//!
//! The first step needs neither key nor runtime: one line around an axum application that stays
//! as it is. Trace context goes in and out of it, requests are counted by route, and a handler
//! that panics answers 500. A bridge that comes later reports what it records:
//!
//! ```no_run
//! use axum::{Router, routing::get};
//!
//! # async fn example() -> std::io::Result<()> {
//! let app = Router::new().route("/orders/{id}", get(|| async { "coffee" }));
//! println!("{}", bridge::map(&app));                       // every route, whatever was nested
//! let app = bridge::observe(app);
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app).await
//! # }
//! ```
//!
//! What else is worth knowing about a service's work is said through [`Bridge::telemetry`]:
//! operations of its own, counters, gauges, histograms and log entries; spans and events of
//! `tracing` need no new code at all, see [`Telemetry::tracing`]. Telemetry never costs the service
//! its latency or its memory: what finds no room is dropped, counted and shown.
//!
//! Without the default feature `mesh` what remains is what an application needs that neither calls nor
//! is called by others: [`observe()`], [`map`], annotated axum handlers, their errors, their audit
//! and their OpenAPI document ([levels 0 and 1](guide)), in half of the time to compile.
//!
//! Only failures that provably happened before any handler ran are repeated, on another
//! instance or through the runtime. Everything else is the caller's to decide, by
//! [`CallError::code`] and [`CallError::retryable`].

#![cfg_attr(docsrs, feature(doc_cfg))]
// The documentation is that of all features; without this one its links lead nowhere.
#![cfg_attr(not(feature = "mesh"), allow(rustdoc::broken_intra_doc_links))]

mod business;
mod call_error;
mod http_app;

#[cfg(feature = "mesh")]
mod context;
#[cfg(feature = "mesh")]
mod key;
#[cfg(feature = "mesh")]
mod handler;

#[cfg(feature = "mesh")]
mod error;

#[cfg(feature = "mesh")]
mod options;

#[cfg(feature = "mesh")]
mod link;
#[cfg(feature = "mesh")]
mod breaker;
#[cfg(feature = "mesh")]
mod instance;

#[cfg(feature = "mesh")]
mod registry;

#[cfg(feature = "mesh")]
pub mod telemetry;

#[cfg(feature = "mesh")]
mod session;

#[cfg(feature = "mesh")]
mod idempotency;

#[cfg(feature = "mesh")]
mod rpc;

#[cfg(feature = "openapi")]
mod openapi;

mod operation;

#[cfg(feature = "mesh")]
mod mounted;

#[cfg(feature = "mesh")]
mod app;

#[cfg(feature = "mesh")]
mod local;
#[cfg(feature = "mesh")]
mod mock;

#[cfg(feature = "mesh")]
mod http;
#[cfg(feature = "mesh")]
mod http_client;
mod declare;
#[cfg(feature = "mesh")]
mod code_first;

#[cfg(feature = "embedded")]
pub mod embedded;

pub mod guide;

#[cfg(all(doctest, feature = "mesh"))]
mod macro_examples;

#[doc(hidden)]
pub mod __rt;

/// Application state in a handler's arguments, `State(db): State<Db>`: the same type for handlers of
/// messages and for those of axum.
pub use axum::extract::State;
#[cfg(feature = "mesh")]
pub use bridge_macros::{Enumeration, Message, Oneof, service};
pub use bridge_macros::{Error, handlers, rpc};
/// The layers one by one: what [`Observed`] is given where its defaults do not do, and what is put
/// around services that are no axum router.
///
/// ```
/// use std::time::Duration;
/// use bridge::layers::{deadline::DeadlineLayer, limit::LimitLayer};
///
/// let app = bridge::observe(axum::Router::new())
///     .deadline(DeadlineLayer::new().default_to(Duration::from_secs(10)))
///     .limit(LimitLayer::new(256));
/// # let _ = app;
/// ```
#[doc(inline)]
pub use bridge_tower as layers;
pub use bridge_tower::routes::map;
pub use bridge_tower::trace::inject as inject_trace;
pub use bridge_tower::{Observed, Recorder, Sampler, client, observe, routes};
pub use contract::clock::Monotonic;
pub use contract::error_code::ErrorCode;
pub use contract::headers::TraceContext;
pub use contract::ids::{InstanceId, OpId, ServiceId, TraceId};
#[cfg(feature = "mesh")]
pub use contract::message::FilesError;
/// The TLS of [`Remote::grpc_with_tls`] and [`Remote::json_with_tls`], in the version they take.
#[cfg(feature = "mesh")]
#[doc(no_inline)]
pub use rustls;
#[cfg(feature = "mesh")]
pub use tokio_stream::Stream;

#[cfg(feature = "mesh")]
pub use crate::app::{Bridge, Builder};
pub use crate::business::{BusinessError, ErrorFields};
pub use crate::call_error::CallError;
#[cfg(feature = "mesh")]
pub use crate::code_first::CodeFirst;
#[cfg(feature = "mesh")]
pub use crate::context::{Caller, Context};
#[cfg(feature = "openapi")]
pub use crate::declare::openapi;
pub use crate::declare::{audit, declare};
#[cfg(feature = "mesh")]
pub use crate::error::Error;
#[cfg(feature = "mesh")]
pub use crate::handler::MissingState;
pub use crate::http_app::{HttpApp, Routed};
#[cfg(feature = "mesh")]
pub use crate::idempotency::Outcomes;
#[cfg(feature = "mesh")]
pub use crate::local::{Local, LocalBuilder};
#[cfg(feature = "mesh")]
pub use crate::mock::Mock;
pub use crate::operation::{Handlers, HttpOperation, error_of_problem};
#[cfg(feature = "mesh")]
pub use crate::operation::{NoClient, ServiceClient};
#[cfg(feature = "openapi")]
pub use crate::operation::{OpenApi, OpenApiError};
#[cfg(feature = "mesh")]
pub use crate::options::{Retry, Transport};
#[cfg(feature = "mesh")]
pub use crate::rpc::{
    Call, CallFuture, Client, ClientOptions, Contract, Remote, Replies, Reply, Stored, StreamCall,
    grpc_details,
};
#[cfg(feature = "mesh")]
pub use crate::session::{Identity, Lifecycle, Phase, Status};
#[cfg(feature = "mesh")]
pub use crate::telemetry::Telemetry;

/// Includes the code that the build script made for a proto package:
/// `bridge::include_contract!("shop.payments.v1")`.
#[cfg(feature = "mesh")]
#[macro_export]
macro_rules! include_contract {
    ($package:literal) => {
        ::core::include!(::core::concat!(
            ::core::env!("OUT_DIR"),
            "/",
            $package,
            ".rs"
        ));
    };
}
