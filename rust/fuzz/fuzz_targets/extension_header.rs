//! See `ws13_fuzz_bodies::extension_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws13_fuzz_bodies::extension_header::run(data));
