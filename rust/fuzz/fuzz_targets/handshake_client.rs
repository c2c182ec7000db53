//! See `ws13_fuzz_bodies::handshake_client`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws13_fuzz_bodies::handshake_client::run(data));
