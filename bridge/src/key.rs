//! How a handler names its work, so that a repeat is recognised.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bridge_tower::idempotency::{KEEP, KEEP_BOUNDS};
use bytes::Bytes;

type KeyOf = Arc<dyn Fn(Bytes) -> Result<String, String> + Send + Sync>;

/// A handler's promise to do each piece of work once, and where the work's key is.
#[derive(Clone)]
pub struct Idempotent {
    /// `None`: the caller says the key.
    key_of: Option<KeyOf>,
    is_required: bool,
    keep: Duration,
}

impl Idempotent {
    /// The key is the one the caller gives the call; each caller has keys of its own. A call
    /// without one runs as if nothing had been promised, unless [`required`](Self::required).
    pub fn by_caller() -> Self {
        Self {
            key_of: None,
            is_required: false,
            keep: KEEP,
        }
    }

    /// The key is part of the request, the same for all callers. A request without one is refused.
    pub fn by_field<Req>(key_of: fn(&Req) -> String) -> Self
    where
        Req: prost::Message + Default + 'static,
    {
        let read = move |payload: Bytes| {
            let request = Req::decode(payload);
            request.map(|it| key_of(&it)).map_err(|it| it.to_string())
        };
        Self {
            key_of: Some(Arc::new(read)),
            is_required: true,
            keep: KEEP,
        }
    }

    /// Refuses calls without a key.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// How long an outcome answers repeats: 24 hours unless told otherwise, taken within 1 second
    /// to 30 days.
    #[must_use]
    pub fn keep(mut self, span: Duration) -> Self {
        self.keep = span.clamp(KEEP_BOUNDS.0, KEEP_BOUNDS.1);
        self
    }

    /// The key of a request: one of the request itself, or the caller's. `Err` when the request is
    /// not the message it should be.
    pub(crate) fn key(&self, payload: &Bytes, callers: &str) -> Result<Key, String> {
        Ok(match &self.key_of {
            Some(key_of) => Key::OfRequest(key_of(payload.clone())?),
            None => Key::OfCaller(callers.to_owned()),
        })
    }

    pub(crate) fn is_required(&self) -> bool {
        self.is_required
    }

    pub(crate) fn kept_for(&self) -> Duration {
        self.keep
    }
}

/// A key, and who may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    OfRequest(String),
    OfCaller(String),
}

impl Key {
    pub(crate) fn text(&self) -> &str {
        let (Self::OfRequest(text) | Self::OfCaller(text)) = self;
        text
    }
}

impl fmt::Debug for Idempotent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotent")
            .field("by_field", &self.key_of.is_some())
            .field("is_required", &self.is_required)
            .field("keep", &self.keep)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, prost::Message)]
    struct Charge {
        #[prost(string, tag = "1")]
        order: String,
    }

    #[test]
    fn a_key_is_the_requests_or_the_callers() {
        let payload: Bytes = prost::Message::encode_to_vec(&Charge {
            order: "o-7".into(),
        })
        .into();
        let by_field = Idempotent::by_field(|it: &Charge| it.order.clone());
        let key = by_field.key(&payload, "ignored");
        assert_eq!(key, Ok(Key::OfRequest("o-7".into())));
        assert!(by_field.key(&Bytes::from_static(b"\xff"), "").is_err());
        let by_caller = Idempotent::by_caller();
        assert_eq!(by_caller.key(&payload, "k"), Ok(Key::OfCaller("k".into())));
    }

    #[test]
    fn an_outcome_is_kept_within_bounds() {
        let keep = |span| Idempotent::by_caller().keep(span).kept_for();
        assert_eq!(
            Idempotent::by_caller().kept_for(),
            Duration::from_secs(24 * 3600)
        );
        assert_eq!((keep(Duration::ZERO), keep(Duration::MAX)), KEEP_BOUNDS);
    }
}
