//! Makes messages, handlers' traits and the client from the contract, and holds it to what was accepted.

fn main() {
    bridge_codegen::contracts("contracts/")
        .lock("bridge.lock")
        .compile();
}
