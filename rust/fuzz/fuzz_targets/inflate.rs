//! See `ws13_fuzz_bodies::inflate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws13_fuzz_bodies::inflate::run(data));
