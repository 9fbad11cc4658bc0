//! The five forms that the same hundred operations are written in, and what they are about.

use serde::Serialize;

/// One word for one of the ten: `Thing` in the samples.
pub(super) const RESOURCES: [&str; 10] = [
    "Order", "Refund", "Parcel", "Account", "Coupon", "Invoice", "Review", "Voucher", "Ticket",
    "Basket",
];

/// The operations of each.
pub(super) const OPERATIONS: [&str; 10] = [
    "list_things",
    "read_thing",
    "create_thing",
    "replace_thing",
    "rename_thing",
    "label_thing",
    "open_thing",
    "finish_thing",
    "remove_thing",
    "total_things",
];

/// How many operations a sample has.
pub(super) const OPERATIONS_TOTAL: usize = RESOURCES.len() * OPERATIONS.len();

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Form {
    /// axum handlers, annotated, for themselves: levels 0 and 1 of the guide
    Bridge,
    /// The same, joined to a runtime
    BridgeJoined,
    /// The same handlers alone
    Axum,
    /// Contracts and services of ours
    BridgeContracts,
    /// The same contracts and services with tonic
    Tonic,
}

impl Form {
    #[cfg(test)]
    pub(super) const ALL: [Self; 5] = [
        Self::Bridge,
        Self::BridgeJoined,
        Self::Axum,
        Self::BridgeContracts,
        Self::Tonic,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Bridge => "bridge, axum handlers",
            Self::BridgeJoined => "bridge, axum handlers, joined",
            Self::Axum => "axum alone",
            Self::BridgeContracts => "bridge, contracts",
            Self::Tonic => "tonic",
        }
    }

    pub(super) fn package(self) -> &'static str {
        match self {
            Self::Bridge => "sample-bridge",
            Self::BridgeJoined => "sample-joined",
            Self::Axum => "sample-axum",
            Self::BridgeContracts => "sample-contracts",
            Self::Tonic => "sample-tonic",
        }
    }

    /// Behind `[dependencies]`; paths are those of the workspace.
    pub(super) fn dependencies(self) -> &'static str {
        match self {
            Self::Bridge => {
                "axum.workspace = true\n\
                 bridge = { path = \"bridge\", default-features = false }\n\
                 serde.workspace = true\n"
            }
            Self::BridgeJoined => {
                "axum.workspace = true\nbridge.workspace = true\nserde.workspace = true\n"
            }
            Self::Axum => {
                "axum.workspace = true\nserde.workspace = true\nserde_json.workspace = true\n"
            }
            Self::BridgeContracts => {
                "bridge.workspace = true\n[build-dependencies]\nbridge-codegen.workspace = true\n"
            }
            Self::Tonic => {
                "prost.workspace = true\n\
                 tonic = { workspace = true, features = [\"server\", \"tls-ring\"] }\n\
                 tonic-prost.workspace = true\n\
                 [build-dependencies]\n\
                 protox.workspace = true\n\
                 tonic-prost-build.workspace = true\n"
            }
        }
    }

    pub(super) fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Bridge | Self::BridgeJoined | Self::BridgeContracts
        )
    }

    pub(super) fn has_contracts(self) -> bool {
        matches!(self, Self::BridgeContracts | Self::Tonic)
    }
}

/// What a program is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Profile {
    /// The development profile as cargo has it: all debug information
    Default,
    /// `[profile.dev] debug = "line-tables-only"`: as much as backtraces need
    LineTables,
}

impl Profile {
    /// The value of `profile.dev.debug`, where it is not cargo's own.
    pub(super) fn debug(self) -> Option<&'static str> {
        match self {
            Self::Default => None,
            Self::LineTables => Some("line-tables-only"),
        }
    }

    /// What follows the name of a sample.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Default => "",
            Self::LineTables => ", line tables only",
        }
    }
}

/// What is built, in turn.
pub(super) const RUNS: [(Form, Profile); 7] = [
    (Form::Bridge, Profile::Default),
    (Form::Axum, Profile::Default),
    (Form::BridgeJoined, Profile::Default),
    (Form::BridgeContracts, Profile::Default),
    (Form::Tonic, Profile::Default),
    (Form::Bridge, Profile::LineTables),
    (Form::Axum, Profile::LineTables),
];

/// A template about things, about something else.
pub(super) fn named(template: &str, name: &str) -> String {
    template
        .replace("Thing", name)
        .replace("thing", &name.to_lowercase())
        .replace("THING", &name.to_uppercase())
}
