//! The target `schema_json`; see `bridge_fuzz::schema_json`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bridge_fuzz::schema_json(bytes));
