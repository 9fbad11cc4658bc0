//! A reply with what was said about it.

use std::ops::Deref;

use bridge_tower::idempotency::{IDEMPOTENCY_REPLAYED, IDEMPOTENCY_STORED};
use http::{HeaderMap, HeaderName, HeaderValue};

const REPLAYED: HeaderName = HeaderName::from_static(contract::headers::REPLAYED);
const STORED: HeaderName = HeaderName::from_static(contract::headers::STORED);

/// A reply, and what the callee said about it; [`Call::with_meta`](crate::Call::with_meta) gives
/// one. It can be used like the message itself.
///
/// ```
/// # struct Client;
/// # impl Client { fn place(&self, _: ()) -> bridge::Call<()> { unreachable!("an example that does not run") } }
/// # async fn example(orders: Client, order: ()) -> Result<(), bridge::CallError> {
/// let reply = orders.place(order).idempotency_key("order-7").with_meta().await?;
/// if reply.is_replayed() {
///     println!("it had been placed before");
/// }
/// let placed = reply.into_message();
/// # Ok(placed) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<T> {
    message: T,
    about: About,
}

/// Whether repeats of a call with an idempotency key get the same answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// As the callee promises it; a callee without such a promise says nothing else, either.
    #[default]
    AsPromised,
    /// Soon: it is not kept yet, and the callee goes on trying.
    Later,
    /// No: the answer is not kept, and a repeat may do the work again.
    Not,
}

/// What was said about an answer, besides it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    pub(super) is_replayed: bool,
    pub(super) stored: Stored,
}

impl About {
    /// What is said in the metadata in front of a reply.
    pub(super) fn of(said: &HeaderMap) -> Self {
        Self {
            is_replayed: said.get(REPLAYED).is_some_and(|it| it == "1"),
            stored: Stored::of(said.get(STORED).map(HeaderValue::as_bytes)),
        }
    }

    /// What is said in the headers of an answer over plain HTTP, which have names of their own, or
    /// are those of a call whose answer was passed on.
    pub(super) fn of_http(said: &HeaderMap) -> Self {
        let about = Self::of(said);
        let replayed = said.get(IDEMPOTENCY_REPLAYED);
        let stored = said.get(IDEMPOTENCY_STORED).map(HeaderValue::as_bytes);
        Self {
            is_replayed: about.is_replayed || replayed.is_some_and(|it| it == "true"),
            stored: stored.map_or(about.stored, |word| Stored::of(Some(word))),
        }
    }
}

impl Stored {
    pub(super) fn of(said: Option<&[u8]>) -> Self {
        match said {
            None => Self::AsPromised,
            Some(b"later") => Self::Later,
            Some(_) => Self::Not,
        }
    }
}

impl<T> Reply<T> {
    pub(super) fn new(message: T, about: About) -> Self {
        Self { message, about }
    }

    /// The message alone.
    pub fn into_message(self) -> T {
        self.message
    }

    /// Whether this is the kept answer of an earlier call with the same idempotency key: nothing
    /// ran for this one.
    pub fn is_replayed(&self) -> bool {
        self.about.is_replayed
    }

    /// Whether repeats with the same idempotency key get this answer.
    pub fn stored(&self) -> Stored {
        self.about.stored
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_about_an_answer_is_read_in_each_of_its_spellings() {
        let not = (false, Stored::AsPromised);
        for (name, value, expected) in [
            ("content-type", "application/grpc", not),
            ("x-bridge-replayed", "1", (true, Stored::AsPromised)),
            ("x-bridge-replayed", "0", not),
            ("idempotency-replayed", "true", (true, Stored::AsPromised)),
            ("idempotency-stored", "later", (false, Stored::Later)),
            ("idempotency-stored", "false", (false, Stored::Not)),
            ("x-bridge-stored", "later", (false, Stored::Later)),
            ("x-bridge-stored", "false", (false, Stored::Not)),
        ] {
            let name = HeaderName::from_static(name);
            let said = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
            let about = About::of_http(&said);
            assert_eq!((about.is_replayed, about.stored), expected, "{said:?}");
        }
    }
}
