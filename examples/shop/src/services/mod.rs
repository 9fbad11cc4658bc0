//! The three services, each an ordinary axum application in a process of its own.
//!
//! They use `bridge`, axum, tokio, serde and tracing, and nothing of the program around them: each file
//! could be the `main.rs` of its own repository.

mod lifeline;
mod logging;
mod problem;

mod inventory;
mod orders;
mod payments;

use clap::ValueEnum;

use lifeline::Lifeline;

/// Which service this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    Inventory,
    Payments,
    Orders,
}

impl Service {
    /// In the order they are started; none of them depends on it.
    pub(crate) const ALL: [Self; 3] = [Self::Inventory, Self::Payments, Self::Orders];

    /// Its name in the mesh, and as an argument.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Payments => "payments",
            Self::Orders => "orders",
        }
    }

    /// Runs it until a signal, or until the parent process is gone.
    pub(crate) async fn run(self) -> Result<(), bridge::Error> {
        let lifeline = Lifeline::hold();
        match self {
            Self::Inventory => inventory::run(lifeline).await,
            Self::Payments => payments::run(lifeline).await,
            Self::Orders => orders::run(lifeline).await,
        }
    }
}
