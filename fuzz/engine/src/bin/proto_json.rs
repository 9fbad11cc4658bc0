//! The target `proto_json`; see `bridge_fuzz::proto_json`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bridge_fuzz::proto_json(bytes));
