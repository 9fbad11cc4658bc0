//! Why a collector did not take what it was sent, in words that say what to do.

use std::time::Duration;

/// Why an export failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No connection.
    #[error("{url} cannot be reached ({why}): does a collector listen there?")]
    Unreachable {
        /// Where it was sent.
        url: String,
        /// What the operating system said.
        why: String,
    },
    /// There was a connection, and no answer came over it.
    #[error(
        "{url} hung up ({why}): if it does so every time, it may not speak {protocol}; port 4317 \
         is usual for grpc, 4318 for http/protobuf"
    )]
    HungUp {
        /// Where it was sent.
        url: String,
        /// What was expected there.
        protocol: &'static str,
        /// How the connection ended.
        why: String,
    },
    /// The connection is not secure.
    #[error(
        "no TLS with {url} ({why}): does the collector speak TLS there, and is the authority of its \
         certificate known here?"
    )]
    Tls {
        /// Where it was sent.
        url: String,
        /// What TLS said.
        why: String,
    },
    /// Somebody is there, but not an OTLP receiver of this protocol.
    #[error(
        "{url} does not speak {protocol} ({why}): port 4317 is usual for grpc, 4318 for http/protobuf"
    )]
    Protocol {
        /// Where it was sent.
        url: String,
        /// What was expected there.
        protocol: &'static str,
        /// What came instead.
        why: String,
    },
    /// There is a server, and this is not a path of its.
    #[error("{url} is not there (404): check the path, or the port")]
    NotFound {
        /// Where it was sent.
        url: String,
    },
    /// The collector wants to know who is sending.
    #[error("{url} refuses the credentials ({status}): check the headers")]
    Unauthorized {
        /// Where it was sent.
        url: String,
        /// HTTP or gRPC status.
        status: String,
    },
    /// No answer in time.
    #[error("{url} did not answer within {within:?}")]
    Timeout {
        /// Where it was sent.
        url: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The collector has too much to do.
    #[error("{url} takes no more at the moment ({status})")]
    Busy {
        /// Where it was sent.
        url: String,
        /// HTTP or gRPC status.
        status: String,
        /// When it wants to be asked again, if it said.
        again_in: Option<Duration>,
    },
    /// The collector does not want what it was sent.
    #[error("{url} refuses what it was sent ({status}): {why}")]
    Refused {
        /// Where it was sent.
        url: String,
        /// HTTP or gRPC status.
        status: String,
        /// What it said, at most 256 bytes of it.
        why: String,
    },
    /// The exporter has stopped, so nothing is sent any more.
    #[error("the exporter has stopped: {why}")]
    Stopped {
        /// Why it did.
        why: String,
    },
}

impl Fault {
    /// Whether sending the same again may help: OTLP lists when.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::HungUp { .. } | Self::Tls { .. } => true,
            Self::Timeout { .. } | Self::Busy { .. } => true,
            Self::Protocol { .. } | Self::NotFound { .. } | Self::Unauthorized { .. } => false,
            Self::Refused { .. } | Self::Stopped { .. } => false,
        }
    }

    /// When the collector wants to be asked again, if it said.
    pub(crate) fn again_in(&self) -> Option<Duration> {
        match self {
            Self::Busy { again_in, .. } => *again_in,
            _ => None,
        }
    }
}
