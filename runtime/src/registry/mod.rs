//! Who serves what, pushed to everybody who asked to know.
//!
//! ```text
//! RegisterAndWatch ─► check ─► store (synced) ─► memory ─► frame to every watcher in whose scope it is
//!        │ links end                                ▲
//!        └──────────► presence ── grace ── reaper ──┘ removal
//! ```
//!
//! Everything is answered from memory; the store exists so that a restarted runtime can serve
//! what was registered while the instances come back. A watcher's frames are computed from the
//! present state against what it was last sent, so a slow watcher costs no queue and skips
//! states nobody needs any more.
//!
//! Invariant: what a watcher was sent, plus the frames still to come, equals the state of the
//! services in its scope. A registration stream that ended late removes nothing.

pub mod model;
mod foreign;
mod state;
mod map;
pub(crate) mod store;
mod engine;
mod guests;
mod lookup;
mod watch;
mod api;
#[cfg(test)]
mod tests;

pub use api::RegistryApi;
pub use engine::{Error, Registry, Target};
pub use foreign::Foreign;
pub use guests::AdmitError;
pub use lookup::MethodDetail;
pub use map::{MapCertificate, MapEdge, MapInstance, MapMethod, MapService, ServiceMap};
pub use watch::Watcher;
