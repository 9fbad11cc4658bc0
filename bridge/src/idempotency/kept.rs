//! An answer as it is kept, with the contract that it is of.
//!
//! The bytes are a `CallResponse` with one field more behind it, which other readers of that message
//! skip. What a version kept that did not write the field is read as it always was: as an answer of
//! the contract that it is asked for.
//!
//! Refuses to read an answer as one of another contract, where its fields mean something else.

use bytes::Bytes;
use contract::grpc::v1::CallResponse;
use prost::{DecodeError, Message as _};

/// What is kept of an answer besides itself.
#[derive(Clone, PartialEq, prost::Message)]
struct Besides {
    /// The contract hash; empty when nobody said. Far from the numbers of `CallResponse`.
    #[prost(string, tag = "1000")]
    contract: String,
}

/// Why a kept answer is not given.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotGiven {
    #[error("it is of another contract")]
    OtherContract,
    #[error(transparent)]
    Broken(#[from] DecodeError),
}

/// The bytes to keep of an answer of `contract`.
pub(super) fn encode(response: &CallResponse, contract: &str) -> Bytes {
    let contract = contract.to_owned();
    let mut bytes = response.encode_to_vec();
    bytes.extend(Besides { contract }.encode_to_vec());
    bytes.into()
}

/// The answer that was kept, if it is one of `contract`.
pub(super) fn decode(kept: Bytes, contract: &str) -> Result<CallResponse, NotGiven> {
    let of = Besides::decode(kept.clone())?.contract;
    if [&*of, contract].iter().all(|it| !it.is_empty()) && of != contract {
        return Err(NotGiven::OtherContract);
    }
    Ok(CallResponse::decode(kept)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response() -> CallResponse {
        CallResponse {
            payload: b"7".to_vec().into(),
            error_code: "DECLINED".to_owned(),
            error_message: "no funds".to_owned(),
        }
    }

    #[test]
    fn an_answer_comes_back_as_it_was_to_its_own_contract_only() {
        let kept = encode(&response(), "v1");
        assert_eq!(decode(kept.clone(), "v1").expect("its own"), response());
        let other = decode(kept.clone(), "v2").expect_err("another one");
        assert!(matches!(other, NotGiven::OtherContract), "{other}");
        let others = CallResponse::decode(kept).expect("it is one with a field more");
        assert_eq!(others, response());
    }

    #[test]
    fn what_an_earlier_version_kept_is_read_as_it_was_then() {
        let kept = Bytes::from_static(b"\x0a\x017\x12\x08DECLINED\x1a\x08no funds");
        assert_eq!(decode(kept, "v2").expect("it is one"), response());
    }

    #[test]
    fn bytes_that_were_cut_are_no_answer() {
        let kept = encode(&response(), "v1");
        let broken = decode(kept.slice(..kept.len() - 1), "v1").expect_err("cut");
        assert!(matches!(broken, NotGiven::Broken(_)), "{broken}");
    }
}
