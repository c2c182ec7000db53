//! See `ws13_fuzz_bodies::api_sequence`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws13_fuzz_bodies::api_sequence::run(data));
