//! HTTP/2 over mutual TLS: how either side dials and accepts.
//!
//! Thin on purpose: one connection is one [`Channel`], without a worker task between a caller and
//! the socket; a [`Listener`] bounds what strangers can make it do. What is said over it is
//! decided elsewhere.

mod channel;

mod dial;
mod listen;
mod refusal;

mod status;
mod frames;
mod request;
mod unary;
mod stream;

pub use channel::{Channel, ChannelError, Received};
pub use dial::{Dial, DialError, DialStage, Security};
pub use listen::{Connection, Limits, Listener, Refusal};
pub use refusal::{is_not_dispatched, not_dispatched};
pub use request::GrpcRequest;
pub use stream::Messages;
pub use unary::Reply;
