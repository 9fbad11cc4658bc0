//! The macros of `bridge`; services reach them as `bridge::rpc`, `bridge::handlers!` and
//! `#[derive(bridge::Error)]`.
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
#[cfg(test)]
mod golden;
mod rpc;
mod error;
mod handlers;

/// Makes an `async fn` a typed RPC handler that [`handlers!`] can list.
///
/// The function stays as it is written: callable under its own name, other attributes untouched.
/// Its arguments, in any order, are one request message, at most one `Context`, and any number of
/// `State<T>`; it returns `Result<Reply, Error>`.
///
/// ```ignore
/// #[bridge::rpc]
/// async fn charge(State(db): State<Db>, req: ChargeRequest) -> Result<ChargeReply, ChargeError> {
///     db.charge(req).await
/// }
/// ```
///
/// # Keys
///
/// - `name = "Charge"`: the method of the contract; without it the function name in UpperCamelCase.
/// - `crate = my::bridge`: where `bridge` is found when it is re-exported by another crate.
#[proc_macro_attribute]
pub fn rpc(attr: TokenStream, item: TokenStream) -> TokenStream {
    rpc::rpc(attr.into(), item.into()).into()
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
/// Variants are units, or hold one `String`, which is the message. The code of a variant is its
/// name in SCREAMING_SNAKE_CASE unless it is given; a unit variant's message is its name in words.
/// `Display` prints the message, and `std::error::Error` is implemented.
///
/// ```ignore
/// #[derive(Debug, bridge::Error)]
/// enum ChargeError {
///     OutOfStock, // code "OUT_OF_STOCK", message "out of stock"
///     #[bridge(code = "CARD_DECLINED")]
///     Declined(String),
/// }
/// ```
///
/// # Keys
///
/// - on a variant, `#[bridge(code = "…")]`: the code on the wire.
/// - on the enum, `#[bridge(crate = my::bridge)]`: where `bridge` is found when it is re-exported.
#[proc_macro_derive(Error, attributes(bridge))]
pub fn error(input: TokenStream) -> TokenStream {
    error::error(input.into()).into()
}
