//! Contracts that are written in Rust, as files for everybody else.
//!
//! Derived messages are complete for Rust; other languages read files. What is listed here becomes
//! descriptors, which every protobuf tool reads, and from which `cargo bridge export` writes `.proto`
//! and `.schema.json`.
//!
//! Refuses to guess names: an rpc is called what is said here. Invariant: listing runs nothing and
//! serves nothing.

use contract::codec::{Msg, Native};
use contract::message::{Described, Files, FilesError};
use serde_json::json;

use crate::operation::described;

/// Messages and rpcs that are declared in Rust, on their way into files.
///
/// Every message brings along what it is made of, comments from documentation included. A package
/// is one file: `shop.orders.v1` is `shop/orders/v1/orders.proto`.
///
/// ```
/// use std::collections::BTreeMap;
///
/// /// What somebody wants.
/// #[derive(Clone, PartialEq, bridge::Message)]
/// #[bridge(package = "shop.orders.v1")]
/// struct PlaceOrder {
///     #[bridge(1)]
///     customer: String,
///     /// Pieces by article.
///     #[bridge(2)]
///     pieces: BTreeMap<String, u32>,
///     #[bridge(3)]
///     status: Status,
///     #[bridge(oneof)]
///     payment: Option<Payment>,
/// }
///
/// #[derive(Clone, Copy, Debug, PartialEq, bridge::Enumeration)]
/// #[bridge(package = "shop.orders.v1")]
/// enum Status {
///     #[bridge(0)]
///     Unspecified,
///     #[bridge(1)]
///     Urgent,
///     Unrecognized(i32),
/// }
///
/// #[derive(Clone, Debug, PartialEq, bridge::Oneof)]
/// enum Payment {
///     #[bridge(4)]
///     Card(String),
///     #[bridge(5, sint64)]
///     Points(i64),
/// }
///
/// #[derive(Clone, PartialEq, bridge::Message)]
/// #[bridge(package = "shop.orders.v1")]
/// struct Order {
///     #[bridge(1)]
///     id: String,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let contracts = bridge::CodeFirst::new().rpc::<PlaceOrder, Order>("shop.orders.v1.Orders/Place");
/// contracts.describe();                      // before `bridge::declare` or a builder's `start`, if any
///
/// let set = contracts.descriptor_set()?;     // or to a file, for `protoc --descriptor_set_in`
/// assert!(!set.is_empty());
///
/// let order = PlaceOrder { customer: "Ada".into(), status: Status::Urgent, ..Default::default() };
/// assert_eq!(
///     serde_json::to_string(&order)?,
///     r#"{"customer":"Ada","status":"STATUS_URGENT"}"#
/// );
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct CodeFirst {
    files: Files,
}

impl CodeFirst {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists a message, and what it is made of.
    #[must_use]
    pub fn message<M>(mut self) -> Self
    where
        M: Described + Native<Codec = Msg<M>> + prost::Message + Default,
    {
        M::declare(&mut self.files);
        self
    }

    /// Lists an rpc that answers once, and its messages: `shop.orders.v1.Orders/Place`.
    #[must_use]
    pub fn rpc<Req, Reply>(self, name: &str) -> Self
    where
        Req: Described + Native<Codec = Msg<Req>> + prost::Message + Default,
        Reply: Described + Native<Codec = Msg<Reply>> + prost::Message + Default,
    {
        let mut listed = self.message::<Req>().message::<Reply>();
        listed.files.rpc(name, Req::TABLE, Reply::TABLE, false);
        listed
    }

    /// Lists an rpc that answers with a stream, and its messages.
    #[must_use]
    pub fn streaming_rpc<Req, Item>(self, name: &str) -> Self
    where
        Req: Described + Native<Codec = Msg<Req>> + prost::Message + Default,
        Item: Described + Native<Codec = Msg<Item>> + prost::Message + Default,
    {
        let mut listed = self.message::<Req>().message::<Item>();
        listed.files.rpc(name, Req::TABLE, Item::TABLE, true);
        listed
    }

    /// The files as an encoded `google.protobuf.FileDescriptorSet`. Files of `google.protobuf`, and
    /// those of included contracts whose types are used, are referred to and not in it.
    ///
    /// # Errors
    ///
    /// [`FilesError`] with everything that is wrong: two types of one name, names that no contract
    /// can have, packages that refer to each other in a circle.
    pub fn descriptor_set(&self) -> Result<Vec<u8>, FilesError> {
        self.files.descriptor_set()
    }

    /// Makes them a part of what the program tells of itself with `BRIDGE_DESCRIBE=file`, for
    /// `cargo bridge export proto --describe 'cargo run' --to contracts`. Does nothing without that
    /// variable. What is wrong is told, too.
    ///
    /// The program goes on. One that lists its contracts and then comes to its end, with nothing to
    /// serve, has told of them. One that serves has to reach [`declare`](crate::declare) or
    /// [`start`](crate::Builder::start) after this: there it ends when it is asked, before it serves.
    ///
    /// A file that cannot be written is said on standard error and ends the program with 1.
    pub fn describe(&self) {
        described::contracts(|| match self.descriptor_set() {
            Ok(set) => json!({ "set": set }),
            Err(error) => json!({ "refused": error.faults }),
        });
    }
}
