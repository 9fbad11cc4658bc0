//! The contracts of the services under test, as a caller sees them.

pub(crate) mod v1 {
    bridge::include_contract!("e2e.v1");
}
pub(crate) mod v2 {
    bridge::include_contract!("e2e.v2");
}
pub(crate) mod till {
    bridge::include_contract!("e2e.till.v1");
}
/// Plain HTTP with JSON.
pub(crate) mod shelf {
    bridge::include_contract!("e2e.shelf.v1");
}
pub(crate) mod ticker {
    bridge::include_contract!("e2e.ticker.v1");
}
/// Everything that proto3 has.
pub(crate) mod every {
    bridge::include_contract!("every.v1");
}
/// Everything that proto2 has and proto3 does not.
pub(crate) mod old {
    bridge::include_contract!("old.v1");
}
