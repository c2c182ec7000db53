//! What each fuzz target of ws13 asserts. `rust/fuzz/README.md` says it in a sentence each.
//!
//! The targets themselves only call these functions, so that the corpus is replayed by `cargo test` with
//! any toolchain. Nothing here calls into another body: what they share is above them.
//!
//! ```text
//! bytes -> setup, cuts -> end (the engine) -> transcript
//!                      -> naive (the RFCs) -> transcript    and both are the same
//! ```

pub mod cuts;
pub mod end;
pub mod frames;
pub mod limits;
pub mod naive;
pub mod sending;
pub mod setup;
pub mod transcript;

pub mod api_sequence;
pub mod end_to_end;
pub mod extension_header;
pub mod frames_client;
pub mod frames_server;
pub mod handshake_client;
pub mod handshake_server;
pub mod inflate;
pub mod mask;
pub mod utf8;

/// A body: it panics if a relation does not hold.
pub type Body = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Body); 10] = [
    ("handshake_server", handshake_server::run),
    ("handshake_client", handshake_client::run),
    ("extension_header", extension_header::run),
    ("frames_server", frames_server::run),
    ("frames_client", frames_client::run),
    ("inflate", inflate::run),
    ("utf8", utf8::run),
    ("mask", mask::run),
    ("api_sequence", api_sequence::run),
    ("end_to_end", end_to_end::run),
];
