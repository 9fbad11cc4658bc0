//! What somebody is told who writes what only feature `mesh` has, and does not have it.
//!
//! Runs where the crate is tested without its default features.

#![cfg(not(feature = "mesh"))]

#[test]
fn what_needs_the_mesh_is_told_so() {
    trybuild::TestCases::new().compile_fail("tests/ui/without_mesh/*.rs");
}
