//! Makes the contracts of the services under test.

fn main() {
    bridge_codegen::contracts("contracts/").compile();
}
