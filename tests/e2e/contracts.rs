//! The contracts of the services under test, as a caller sees them.

pub(crate) mod v1 {
    bridge::include_contract!("e2e.v1");
}
pub(crate) mod v2 {
    bridge::include_contract!("e2e.v2");
}
