//! See `ws13_fuzz_bodies::end_to_end`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws13_fuzz_bodies::end_to_end::run(data));
