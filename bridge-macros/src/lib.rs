//! The macros of `bridge`; services reach them as `bridge::rpc`, `bridge::service`,
//! `bridge::handlers!` and `#[derive(bridge::Error)]`.
//!
//! Every macro goes parse → check → expand: all mistakes of one call are reported together, each
//! at its own token and under a stable number (`BR0007`). Generated code names only absolute paths
//! below `::bridge` (or the path given as `crate = …`), `::core` and `::std`. Nothing here decides
//! by type: what needs types is a trait bound in `bridge::__rt`, and the compiler says what is wrong.
//!
//! Invariant: the user's function is emitted token for token and first, also when it is refused.

use proc_macro::TokenStream;

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

/// Makes a function an operation that [`handlers!`] can list.
///
/// The function stays as it is written: callable under its own name, other attributes untouched.
///
/// # A handler of messages
///
/// Its arguments, in any order, are one request message, at most one `Context`, and any number of
/// `State<T>` and `bridge::Client<C>`; it returns `Result<Reply, Error>`. One that answers with
/// several messages is a plain `fn` and returns `impl Stream<Item = Result<Reply, Error>>`.
///
/// ```ignore
/// #[bridge::rpc]
/// async fn charge(State(db): State<Db>, req: ChargeRequest) -> Result<ChargeReply, ChargeError> {
///     db.charge(req).await
/// }
/// ```
///
/// - `name = "Charge"`: the method of the contract; without it the function name in UpperCamelCase.
/// - `idempotent`: calls with the same idempotency key of the same caller are one call. The outcome
///   of the first is kept, and repeats get it; none of it for streams.
/// - `idempotent_by = "order_id"`: the same, where the key is this field of the request, a string
///   or an integer.
/// - `idempotent_for = "24h"`: how long the outcome is kept, from `"1s"` to `"30d"`; 24 hours if
///   nothing is said.
/// - `crate = my::bridge`: where `bridge` is found when it is re-exported by another crate.
///
/// # An axum handler
///
/// Method and path come first: those it is mounted at, by `Router::route` as ever, with any
/// extractors. Routers around it may add to the path.
///
/// ```ignore
/// /// Places an order.
/// #[bridge::rpc(post, "/v1/orders", idempotent_by = "Idempotency-Key", deadline = "2s")]
/// async fn place_order(State(db): State<Db>, Json(new): Json<NewOrder>)
///     -> Result<Json<Order>, OrderError> { /* as it was */ }
/// ```
///
/// - `name = "placeOrder"`: what documents call it; without it the function's name.
/// - `deadline = "2s"`: what a request has at most, from `"1ms"` to `"24h"`.
/// - `idempotent_by = "Idempotency-Key"`: requests with the same value of this header are one
///   request; not for methods that only ask.
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
/// ```ignore
/// #[bridge::service]
/// impl Payments {
///     #[bridge::rpc]
///     async fn charge(&self, req: ChargeRequest) -> Result<ChargeReply, ChargeError> {
///         self.db.charge(req).await
///     }
/// }
/// ```
///
/// - `crate = my::bridge`: where `bridge` is found when it is re-exported by another crate.
#[proc_macro_attribute]
pub fn service(attr: TokenStream, item: TokenStream) -> TokenStream {
    service::service(attr.into(), item.into()).into()
}

/// Lists the handlers that a service serves: `handlers![charge, orders::place]`.
///
/// Each entry is the path of a function under [`macro@rpc`]. `handlers![crate = my::bridge; charge]`
/// overrides where `bridge` is found.
#[proc_macro]
pub fn handlers(input: TokenStream) -> TokenStream {
    handlers::handlers(input.into()).into()
}

/// Makes an enum a business error: its variants travel as codes and come back as variants.
///
/// One enum is an error everywhere: over RPC a code and a message, over HTTP an answer with
/// problem details, in a gRPC status its number. `Display` prints the message, and
/// `std::error::Error` is implemented.
///
/// ```ignore
/// #[derive(Debug, bridge::Error)]
/// enum OrderError {
///     Closed,                                            // code "CLOSED", message "closed"
///     Declined(String),                                  // the String is the message
///     #[bridge(status = 409, message = "{left} of {sku} left")]
///     OutOfStock { sku: String, left: u32 },             // the fields travel, too
///     #[bridge(status = 503, code = "PAYMENTS_DOWN", retryable)]
///     Payments(#[source] bridge::CallError),
///     #[bridge(transparent)]
///     Call(#[from] bridge::CallError),                   // whatever the call came to
/// }
/// ```
///
/// Fields are `serde` values. A source stays with the service it happened in: a variant with a
/// `CallError` comes back with one that says so, a variant with another source comes back as the
/// code alone. `#[from]` is a source that `?` turns into the error.
///
/// # Keys
///
/// - on a variant, `#[bridge(code = "…")]`: the code on the wire; without it the variant's name in
///   SCREAMING_SNAKE_CASE.
/// - `message = "…"`: the text for people, with fields in braces; without it the variant's name in
///   words.
/// - `status = 409`: the HTTP status, 400 to 599; without it 422.
/// - `grpc = "ABORTED"`: the gRPC code; without it the one that fits the status.
/// - `retryable`: the same request may succeed later.
/// - `transparent`: code, message, status and the rest are those of the `CallError` in it.
/// - on the enum, `#[bridge(crate = my::bridge)]`: where `bridge` is found when it is re-exported.
#[proc_macro_derive(Error, attributes(bridge, source, from))]
pub fn error(input: TokenStream) -> TokenStream {
    error::error(input.into()).into()
}
