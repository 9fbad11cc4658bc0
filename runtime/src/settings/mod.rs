//! Settings that operators change while the runtime runs: typed, validated, watched.
//!
//! The table [`keys`] is the complete list; a setting exists only when something reads it. A
//! change is stored together with its audit entry and is live when [`Settings::set`] returns,
//! except for settings marked "needs a restart", which keep their value until then.
//!
//! Refuses unknown keys and values out of bounds when somebody sets them. What it finds in the
//! table and does not understand (a newer binary wrote it) is kept, reported and not used.
//!
//! Invariant: [`Settings::get`] always has a value within the bounds, and never waits.

mod model;
pub mod keys;
mod store;
mod engine;
#[cfg(test)]
mod tests;

pub use engine::{Settings, SettingsError};
pub use model::{Capture, Key, Limits, Setting, SettingView, Value};
