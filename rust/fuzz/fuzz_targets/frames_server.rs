//! See `ws13_fuzz_bodies::frames_server`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws13_fuzz_bodies::frames_server::run(data));
