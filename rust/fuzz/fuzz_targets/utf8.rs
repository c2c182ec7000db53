//! See `ws13_fuzz_bodies::utf8`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws13_fuzz_bodies::utf8::run(data));
