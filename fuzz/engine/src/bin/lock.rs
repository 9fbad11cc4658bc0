//! The target `lock`; see `bridge_fuzz::lock`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bridge_fuzz::lock(bytes));
