//! What a service may do, in the shape the contract sends it.
//!
//! Without rules everything is allowed, and there are no rules yet: every evaluation grants the
//! four capabilities and restricts nothing. SDKs refuse all inbound calls until they have an
//! evaluation, so each registration gets one.

use contract::grpc::v1::PolicyEvaluation;

/// Everything a service can be allowed to handle.
pub const CAPABILITIES: [&str; 4] = [
    "rpc.handle",
    "event.handle",
    "workflow.handle",
    "job.handle",
];

/// The evaluation for any service.
pub fn evaluate() -> PolicyEvaluation {
    PolicyEvaluation {
        capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        ..PolicyEvaluation::default()
    }
}
