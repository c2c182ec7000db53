//! What the integration tests share: two ends of a connection and the pipe between them, naive
//! readers and writers of frames and heads, and the vectors that both languages read.

#![expect(clippy::arithmetic_side_effects, reason = "tests count without fear")]

pub mod deflate;
pub mod extensions;
pub mod frames;
pub mod handshake;
pub mod http;
pub mod pipe;
pub mod transcript;
pub mod vectors;
