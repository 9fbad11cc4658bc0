//! The target `proto`; see `bridge_fuzz::proto`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bridge_fuzz::proto(bytes));
