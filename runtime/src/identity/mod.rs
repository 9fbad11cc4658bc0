//! Who may join, and as whom: the authority, service keys, leaf certificates, live sessions.
//!
//! ```text
//! key ─Provision─► leaf ─TLS─► Control.Open ─► session ─► (registry)
//!                   ▲              │
//!                   └─RefreshCert──┘      same instance id, new key pair
//! ```
//!
//! Identity always comes from a verified certificate, never from a message. Secrets are stored
//! as a slow hash and appear in no log, error or `Debug` text.
//!
//! Invariant: a leaf names the service its key belonged to, and one instance that the runtime
//! minted; a revoked service gets no new leaf and keeps no stream.

mod authority;
mod slow_hash;
mod secret;
mod presence;
pub(crate) mod store;
mod engine;
mod keys;
mod api;
#[cfg(test)]
mod tests;

pub use api::{BootstrapApi, ControlApi, PROTOCOL_VERSION, caller, certificate};
pub use authority::{Authority, AuthorityError, Issued, LEAF_SKEW, OwnCertificate, not_after};
pub use engine::{CreatedKey, Error, Identity, Parts, Provisioned, ServiceView};
pub use keys::KeyView;
pub use presence::{Ending, Link, Presence, Sighting};
pub(crate) use secret::SecretCheck;
