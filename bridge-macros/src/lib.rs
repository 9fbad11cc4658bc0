//! The macros of `bridge`; services reach them as `bridge::rpc`, `bridge::service`,
//! `bridge::handlers!`, `#[derive(bridge::Error)]` and the derives of messages.
//!
//! Every macro goes parse → check → expand: all mistakes of one call are reported together, each
//! at its own token and under a stable number (`BR0007`). Generated code names only absolute paths
//! below `::bridge` (or the path given as `crate = …`), `::core` and `::std`. Nothing here decides
//! by type: what needs types is a trait bound in `bridge::__rt`, and the compiler says what is wrong.
//! Examples are files in `docs/`, which the documentation tests of `bridge` compile: this crate does not
//! know it.
//!
//! Invariant: the user's function is emitted token for token and first, also when it is refused.

use proc_macro::TokenStream;

/// Whether expansions tell what documents are made of; whoever builds `bridge` for them says so. What
/// is told to one that is not built for them is nothing, so more telling than needed is no fault.
const TELLS_DOCUMENTS: bool = cfg!(any(test, feature = "openapi"));
/// Whether `bridge` has what serves and sends messages; tests are of all that there is.
const HAS_MESH: bool = cfg!(any(test, feature = "mesh"));

mod diag;
mod paths;
mod keys;
mod case;
mod duration;
#[cfg(test)]
mod golden;
mod rpc;
mod service;
mod error;
mod handlers;
mod message;

/// Makes a function an operation that [`handlers!`] can list.
///
/// The function stays as it is written: callable under its own name, other attributes untouched.
///
/// Of one that is in no list rustc warns at its name ("enum `charge` is never used", with a note),
/// since nothing that its attribute says takes effect. What a library exports may be listed by others
/// and is not warned of; `#[allow(dead_code)]` above the function quiets it.
///
/// # A handler of messages
///
/// Its arguments, in any order, are one request message, at most one `Context`, and any number of
/// `State<T>` and `bridge::Client<C>`; it returns `Result<Reply, Error>`. One that answers with
/// several messages is a plain `fn` and returns `impl Stream<Item = Result<Reply, Error>>`.
///
#[doc = include_str!("../docs/rpc_messages.md")]
///
/// - `name = "Charge"`: the method of the contract; without it the function name in UpperCamelCase.
/// - `idempotent`: calls of one service with the same idempotency key are one call; the same key of
///   another service is another key. The outcome of the first is kept, and repeats get it; none of it
///   for streams. A call without a key simply runs.
/// - `idempotent_by = "order_id"`: the key is this field of the request, a string or an integer, and
///   names the work for **all callers**: their calls with the same value are one call, and each that
///   sends the same request gets the answer to the first, whoever made that. What only one of them may
///   see depends on something in the request, such as a customer's number, or the method takes
///   `idempotent`. A request whose field is empty or 0, as one that nobody set, is refused.
/// - `idempotent_for = "24h"`: how long the outcome is kept, from `"1s"` to `"30d"`; 24 hours if
///   nothing is said.
/// - `crate = my::bridge`: where `bridge` is found when it is re-exported by another crate.
///
/// # An axum handler
///
/// Method and path come first: those it is mounted at, by `Router::route` as ever, with any
/// extractors. Routers around it may add to the path.
///
#[doc = include_str!("../docs/rpc_http.md")]
///
/// - `name = "placeOrder"`: what documents call it; without it the function's name.
/// - `tag = "orders"`: what documents file it under.
/// - `deadline = "2s"`: what a request has at most until its answer begins, from `"1ms"` to `"24h"`; a
///   body that is streamed may outlast it.
/// - `idempotent_by = "Idempotency-Key"`: requests with the same value of this header are one
///   request; not for methods that only ask. A header that callers set anew for each request, so
///   `Authorization`, `Content-Type` and their like are refused. With `required` beside it, a request
///   without the header is answered 400. An answer that says that nothing was done (400, 401, 404, 415,
///   429, 5xx, the 422 of an extractor, a retryable error) uses no key up. A request with a key may have
///   1 MiB; an answer of more than 256 KiB, or a streamed one, is 409 for repeats.
/// - `idempotent_within = "X-Tenant, X-User"`: headers that say whom a key belongs to, 8 at most. Keys
///   of different values of these headers are different keys; a request with a key and without one of
///   them is answered 400. `Host` is one for tenants with a host each.
/// - `idempotent_for`, `crate`: as above.
#[proc_macro_attribute]
pub fn rpc(attr: TokenStream, item: TokenStream) -> TokenStream {
    rpc::rpc(attr.into(), item.into()).into()
}

/// Makes the annotated methods of one value the handlers of a contract.
///
/// The methods below `#[bridge::rpc]` take `&self` and then what handlers of messages take; the
/// others are left alone. The value is served as it is: `.serve(Payments::new())`. It is shared by
/// all calls, so what changes in it belongs into a `Mutex` or an atomic.
///
#[doc = include_str!("../docs/service.md")]
///
/// - `crate = my::bridge`: where `bridge` is found when it is re-exported by another crate.
#[proc_macro_attribute]
pub fn service(attr: TokenStream, item: TokenStream) -> TokenStream {
    service::service(attr.into(), item.into()).into()
}

/// Lists the handlers that a service serves: `handlers![charge, orders::place]`.
///
/// Each entry is the path of a function under [`macro@rpc`]. `handlers![crate = my::bridge; charge]`
/// overrides where `bridge` is found. Of a function that is not, rustc says "constant provided when a
/// type was expected": put `#[bridge::rpc]` above it. What is not there in every build goes into a list
/// of its own: `#[cfg(feature = "admin")] let list = list.and(handlers![refund]);`.
#[proc_macro]
pub fn handlers(input: TokenStream) -> TokenStream {
    handlers::handlers(input.into()).into()
}

/// Makes an enum a business error: its variants travel as codes and come back as variants.
///
/// One enum is an error everywhere: over RPC a code and a message, over HTTP an answer with
/// problem details, in the statuses of a gRPC service of your own its number.
///
/// Implemented are `bridge::BusinessError`, `Display` (the message), `std::error::Error` and axum's
/// `IntoResponse`. An enum that has one of them already, of its own or by `thiserror`, is refused by
/// the compiler ("conflicting implementations", E0119): remove that one and say in `#[bridge(…)]` what
/// it said, or keep that enum and make it the `#[source]` of a variant.
///
#[doc = include_str!("../docs/error.md")]
///
/// Fields are `serde` values that JSON brings back. A number that is infinite or `NaN` is left out (in an
/// `Option` it is `null`, and comes back as `None`), and an error that misses a field comes back as the code
/// alone: hold such a number as text. A source stays with the service it happened in: a variant with a
/// `CallError` comes back with one that says so, a variant with another source comes back as the
/// code alone. `#[from]` is a source that `?` turns into the error.
///
/// # Keys
///
/// - on a variant, `#[bridge(code = "…")]`: the code on the wire; without it the variant's name in
///   SCREAMING_SNAKE_CASE.
/// - `message = "…"`: the text for people, with fields in braces, but never the source; without it the
///   variant's name in words.
/// - `status = 409`: the HTTP status, 400 to 599; without it 422.
/// - `grpc = "ABORTED"`: what `BusinessError::grpc` says, for gRPC services of your own: calls of the mesh
///   and HTTP have no place for it. Without it the one that fits the status. See `bridge::grpc_details`.
/// - `retryable`: the same request may succeed later.
/// - `transparent`: code, message, status and the rest are those of the `CallError` in it.
/// - on the enum, `#[bridge(crate = my::bridge)]`: where `bridge` is found when it is re-exported.
#[proc_macro_derive(Error, attributes(bridge, source, from))]
pub fn error(input: TokenStream) -> TokenStream {
    error::error(input.into()).into()
}

/// Makes a struct a message: a contract that is written in Rust.
///
/// The same bytes, the same JSON and the same contract as the generator makes of the `.proto` that
/// `cargo bridge export` writes of it. `Default`, `Debug` (cut where it is long), serde's traits
/// (ProtoJSON) and `schemars::JsonSchema` (with feature `json-schema`) come with it; derive `Clone`
/// and `PartialEq` beside it.
///
#[doc = include_str!("../docs/message.md")]
///
/// # Fields
///
/// | Rust | contract |
/// |---|---|
/// | `bool`, `i32`, `i64`, `u32`, `u64`, `f32`, `f64`, `String` | the scalar of that name; `int32` for `i32` and so on |
/// | `Vec<u8>`, `Bytes` | `bytes` |
/// | an enum below [`Enumeration`](macro@Enumeration) | that enum |
/// | `Option` of one of these | `optional` |
/// | `Option<M>`, `Option<Box<M>>` of a message | a message, which may be missing |
/// | `Vec<T>` | `repeated`, packed where it can be |
/// | `BTreeMap<K, V>` | `map` |
/// | types of `prost_types`; `()` | the well-known type; `google.protobuf.Empty` |
///
/// Messages and enums of included contracts are as good as derived ones.
///
/// # Keys
///
/// - on the struct, `#[bridge(package = "shop.orders.v1")]`, which must be said; `name = "…"` where
///   the message is not called as the struct; `crate = my::bridge`.
/// - on a field, its number first, 1 to 536,870,911 without 19,000 to 19,999: `#[bridge(4)]`.
/// - `sint32`, `sint64`, `fixed32`, `fixed64`, `sfixed32`, `sfixed64`: how integers are written,
///   those of an `Option`, a `Vec` or the values of a map, too.
/// - `wrapper`: an `Option` of a scalar as `google.protobuf.Int32Value` and its like.
/// - `key = "sint32"`: how the keys of a map are written.
/// - `name = "…"`, `json = "…"`: the field's name in the contract and in JSON.
/// - `#[bridge(oneof)]` on an `Option` of an enum below [`Oneof`](macro@Oneof), without a number.
#[proc_macro_derive(Message, attributes(bridge))]
pub fn message(input: TokenStream) -> TokenStream {
    message::message(input.into()).into()
}

/// Makes an enum a oneof: several fields of a message of which at most one is set.
///
/// Each variant holds one value and has a number of its own in the message that holds the enum; its
/// name is the field's, in snake_case, unless `name = "…"` says another one. The kinds of
/// [`Message`](macro@Message) are kinds here.
///
#[doc = include_str!("../docs/oneof.md")]
#[proc_macro_derive(Oneof, attributes(bridge))]
pub fn oneof(input: TokenStream) -> TokenStream {
    message::oneof(input.into()).into()
}

/// Makes an enum one of a contract: names for numbers.
///
/// The first variant has the number 0 and is the default. `Unrecognized(i32)` holds numbers of later
/// versions, so that they are not lost. Values are called `ORDER_STATUS_PAID` in the contract, unless
/// `name = "…"` says otherwise. Gives `Default`, both conversions to and from `i32`, `name` and
/// `from_name`; derive `Clone`, `Copy`, `Debug` and `PartialEq` beside it.
///
#[doc = include_str!("../docs/enumeration.md")]
#[proc_macro_derive(Enumeration, attributes(bridge))]
pub fn enumeration(input: TokenStream) -> TokenStream {
    message::enumeration(input.into()).into()
}
