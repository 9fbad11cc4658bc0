//! What the open doors are made of.

use contract::clock::{Clock, Monotonic, Timestamp};

use crate::accounts::Accounts;
use crate::db::Db;
use crate::identity::Presence;
use crate::outcomes::Outcomes;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::telemetry::{Reports, Telemetry};

/// What is served, and whom it asks.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Store.
    pub db: Db,
    /// Time.
    pub clock: Clock,
    /// Wall and monotonic time at start.
    pub started: (Timestamp, Monotonic),
    /// Settings.
    pub settings: Settings,
    /// Who is here.
    pub presence: Presence,
    /// Who serves what.
    pub registry: Registry,
    /// What became of idempotent work.
    pub outcomes: Outcomes,
    /// What is shown.
    pub telemetry: Telemetry,
    /// Where what comes in goes.
    pub reports: Reports,
    /// Background tasks.
    pub tasks: Tasks,
    /// Whose API tokens open the doors.
    pub accounts: Accounts,
}
