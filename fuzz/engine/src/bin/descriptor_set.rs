//! The target `descriptor_set`; see `bridge_fuzz::descriptor_set`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bridge_fuzz::descriptor_set(bytes));
