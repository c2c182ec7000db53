//! See `ws13_fuzz_bodies::mask`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws13_fuzz_bodies::mask::run(data));
