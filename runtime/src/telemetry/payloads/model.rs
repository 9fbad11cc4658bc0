//! Captured payloads: what is kept of one, and how it is masked and read. Pure.

use contract::ids::{InstanceId, OpId, ServiceId, TraceId};

use super::super::bounded;
use super::super::mask::{MaskKeys, mask_text};
use super::decode::walk;
use super::schema::Description;

/// What stands for a contract hash when the payload is no message: the body of an HTTP request.
pub const RAW_JSON: &str = "raw/json";
/// Longest contract hash that is kept, in bytes; the rest is cut.
const HASH_BYTES_MAX: usize = 128;

/// Which way a payload went, as the reporting operation sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The request, or the event.
    In = 1,
    /// The answer.
    Out = 2,
}

impl Direction {
    /// Both, by number.
    pub const ALL: [Self; 2] = [Self::In, Self::Out];

    /// From the number of the wire contract.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// The number of the wire contract.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// A payload as a service reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadReport {
    /// Its trace.
    pub trace: TraceId,
    /// Its operation.
    pub op: OpId,
    /// Which way it went.
    pub direction: Direction,
    /// The payload, perhaps cut already.
    pub bytes: Vec<u8>,
    /// Bytes before any cut.
    pub original_size: i32,
    /// What it was encoded with; [`RAW_JSON`] for plain JSON.
    pub contract_hash: String,
}

/// What of a report is kept.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// Names of secrets.
    pub mask_keys: &'r MaskKeys,
    /// Longest payload, in bytes; the rest is cut.
    pub bytes_max: usize,
}

/// A payload as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) trace: TraceId,
    pub(super) op: OpId,
    pub(super) direction: Direction,
    pub(super) service: ServiceId,
    pub(super) instance: InstanceId,
    pub(super) bytes: Vec<u8>,
    pub(super) original_size: i64,
    pub(super) contract_hash: String,
    /// Whether it could be decoded, and so has been masked field by field.
    pub(super) decodable: bool,
}

impl PayloadReport {
    /// Masked first, so that a cut cannot separate a secret from its name, then cut.
    pub(super) fn keep(
        self,
        (service, instance): (ServiceId, InstanceId),
        description: Option<&Description>,
        rules: Rules<'_>,
    ) -> Kept {
        let sent = i64::try_from(self.bytes.len()).unwrap_or(i64::MAX);
        let original_size = i64::from(self.original_size).max(sent);
        let contract_hash = bounded::text(&self.contract_hash, HASH_BYTES_MAX);
        let cut = original_size > sent;
        let read = read(
            &contract_hash,
            &self.bytes,
            cut,
            description,
            rules.mask_keys,
        );
        let mut bytes = read.masked;
        bytes.truncate(rules.bytes_max);
        Kept {
            trace: self.trace,
            op: self.op,
            direction: self.direction,
            service,
            instance,
            bytes,
            original_size,
            contract_hash,
            decodable: read.decodable,
        }
    }
}

/// A payload, read by whatever is known about it.
pub(super) struct Read {
    pub(super) masked: Vec<u8>,
    /// JSON; `None` when it cannot be told.
    pub(super) json: Option<Vec<u8>>,
    pub(super) decodable: bool,
    /// Whether the contract is unknown or not the one it was encoded with.
    pub(super) drift: bool,
}

/// Reads `bytes`, which may have been `cut`.
pub(super) fn read(
    contract_hash: &str,
    bytes: &[u8],
    cut: bool,
    description: Option<&Description>,
    keys: &MaskKeys,
) -> Read {
    let is_plain = contract_hash == RAW_JSON;
    if let Some(description) = description.filter(|_| !is_plain)
        && let Ok(walked) = walk(description, bytes, cut, keys)
    {
        return Read {
            masked: walked.masked,
            json: Some(walked.json.to_string().into_bytes()),
            decodable: true,
            drift: walked.unknown_fields,
        };
    }
    let masked = mask_text(bytes, keys).into_owned();
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&masked).is_ok();
    Read {
        json: is_json.then(|| masked.clone()),
        masked,
        decodable: is_plain || is_json,
        drift: !is_plain,
    }
}

/// A stored payload, for reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its trace.
    pub trace: TraceId,
    /// Its operation.
    pub op: OpId,
    /// Which way it went.
    pub direction: Direction,
    /// The service whose operation it belongs to.
    pub service: ServiceId,
    /// As captured, without secrets, perhaps cut.
    pub bytes: Vec<u8>,
    /// The same as JSON, when it can be told; of a payload that was cut, as far as it goes.
    pub json: Option<Vec<u8>>,
    /// Bytes before any cut.
    pub original_size: i64,
    /// What it was encoded with.
    pub contract_hash: String,
    /// Whether that contract is unknown here, or not the one it was encoded with.
    pub schema_drift: bool,
}

/// What became of a batch of payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadsIngested {
    /// Stored and committed; equal ones replaced earlier copies.
    pub payloads: usize,
}
