//! What operations sent and received, as far as it was captured.

use std::fmt::Write as _;

use contract::ids::OpId;

use super::engine::{AskError, Operator};
use super::model::{PayloadShown, TraceTree};
use crate::settings::keys;
use crate::telemetry::{Direction, MaskKeys, Payload};

/// Operations of a trace whose payloads are looked for.
const OPS_MAX: usize = 200;

impl Operator {
    /// The payloads of a trace, by operation; of a large one, those of its first operations.
    pub(super) async fn payloads_of(
        &self,
        trace: &TraceTree,
    ) -> Result<Vec<PayloadShown>, AskError> {
        let parts = self.parts();
        let mask = MaskKeys::new(&parts.settings.get(keys::TELEMETRY_MASK_KEYS));
        let ops = trace.ops.iter().take(OPS_MAX);
        let ops: Vec<OpId> = ops.filter_map(|it| it.op_id.parse().ok()).collect();
        let mut found = Vec::new();
        for op in ops {
            for direction in [Direction::In, Direction::Out] {
                let payload = parts.telemetry.payload(op, direction, &mask).await?;
                found.extend(payload.map(shown));
            }
        }
        Ok(found)
    }
}

fn shown(it: Payload) -> PayloadShown {
    PayloadShown {
        op_id: it.op.to_string(),
        direction: match it.direction {
            Direction::In => "in",
            Direction::Out => "out",
        }
        .to_owned(),
        original_bytes: it.original_size,
        kept_bytes: it.bytes.len(),
        decoded: it.json.and_then(|json| serde_json::from_slice(&json).ok()),
        raw: match String::from_utf8(it.bytes) {
            Ok(text) => text,
            Err(error) => hex(error.as_bytes()),
        },
        contract_hash: it.contract_hash,
        schema_drift: it.schema_drift,
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
