//! How a handler names its work, so that a repeat is recognised.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bridge_tower::idempotency::Terms;
use bytes::Bytes;

type KeyOf = Arc<dyn Fn(Bytes) -> Result<String, String> + Send + Sync>;

/// A handler's promise to do each piece of work once, and where the work's key is.
#[derive(Clone)]
pub struct Idempotent {
    /// `None`: the caller says the key.
    key_of: Option<KeyOf>,
    is_per_caller: bool,
    terms: Terms,
    /// Hash of the contract that outcomes are of; empty when nobody said.
    contract: &'static str,
}

impl Idempotent {
    /// The key is the one the caller gives the call; each caller has keys of its own. A call
    /// without one runs as if nothing had been promised, unless [`required`](Self::required).
    pub fn by_caller() -> Self {
        Self {
            key_of: None,
            is_per_caller: true,
            terms: Terms::optional(),
            contract: "",
        }
    }

    /// The key is part of the request: it names the work, whoever asks for it. It is the same for all
    /// callers unless [`per_caller`](Self::per_caller), so each of them that asks with it, and with
    /// the same request, gets the answer. A request without one, whose key is an empty text, is
    /// refused.
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
            is_per_caller: false,
            terms: Terms::optional().required(),
            contract: "",
        }
    }

    /// Refuses calls without a key.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.terms = self.terms.required();
        self
    }

    /// Each calling service has keys of its own: the same key of another one is another key.
    #[must_use]
    pub fn per_caller(mut self) -> Self {
        self.is_per_caller = true;
        self
    }

    /// How long an outcome answers repeats: 24 hours unless told otherwise, taken within 1 second
    /// to 30 days.
    #[must_use]
    pub fn keep(mut self, span: Duration) -> Self {
        self.terms = self.terms.keep(span);
        self
    }

    /// Outcomes are of this contract, and are never given as ones of another.
    pub(crate) fn of_contract(mut self, hash: &'static str) -> Self {
        self.contract = hash;
        self
    }

    pub(crate) fn contract(&self) -> &'static str {
        self.contract
    }

    /// What a call has not that has no key.
    pub(crate) fn lacks(&self) -> &'static str {
        match self.key_of {
            Some(_) => "a field of the request, which is empty or 0; set it",
            None => "and the call has none",
        }
    }

    /// The key of a request: one of the request itself, or the caller's. `Err` when the request is
    /// not the message it should be.
    pub(crate) fn key(&self, payload: &Bytes, callers: &str) -> Result<String, String> {
        match &self.key_of {
            Some(key_of) => key_of(payload.clone()),
            None => Ok(callers.to_owned()),
        }
    }

    /// Whether keys are unique within a calling service, not among all of them.
    pub(crate) fn is_per_caller(&self) -> bool {
        self.is_per_caller
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }
}

impl fmt::Debug for Idempotent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotent")
            .field("by_field", &self.key_of.is_some())
            .field("is_per_caller", &self.is_per_caller)
            .field("terms", &self.terms)
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
        assert_eq!(key, Ok("o-7".into()));
        assert!(by_field.key(&Bytes::from_static(b"\xff"), "").is_err());
        let by_caller = Idempotent::by_caller();
        assert_eq!(by_caller.key(&payload, "k"), Ok("k".into()));
        assert!(by_caller.is_per_caller() && !by_field.is_per_caller());
        assert!(by_field.terms().is_required() && !by_caller.terms().is_required());
    }
}
