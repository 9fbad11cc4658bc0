//! How an operation ended.

use contract::grpc::v1::Status;

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Success,
    Error,
    Timeout,
}

impl Ended {
    pub(super) fn on_wire(self) -> Status {
        match self {
            Self::Success => Status::Success,
            Self::Error => Status::Error,
            Self::Timeout => Status::Timeout,
        }
    }
}
