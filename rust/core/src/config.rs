//! What a connection is told when it is made: its role and its limits.

use crate::extension::PIECE;

/// Which end of the connection this is. Clients mask what they send and servers must not,
/// RFC 6455 §5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The end that opened the connection.
    Client,
    /// The end that accepted it.
    Server,
}

/// Limits of the opening handshake, in bytes unless a field says otherwise.
///
/// // Choice: RFC 9112 §3 and §5.4 ask for limits and leave the numbers to us. A head is held in
/// memory until it is complete, so the limit is what a stranger can make a connection hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandshakeLimits {
    /// The whole head: start line, fields and the empty line.
    pub head: usize,
    /// Field lines in one head.
    pub fields: usize,
    /// Interim (1xx) responses before the final one.
    pub interim_responses: usize,
    /// The body of a rejection that a client receives.
    pub rejection_body: u64,
    /// Bytes behind a request, kept until the application has accepted it.
    pub early_data: usize,
}

impl HandshakeLimits {
    /// What is used when nothing else is said.
    pub const DEFAULT: Self = Self {
        head: 16 * 1024,
        fields: 128,
        interim_responses: 16,
        rejection_body: 1024 * 1024,
        early_data: 64 * 1024,
    };
}

impl Default for HandshakeLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Limits of an open connection; `None` is no limit.
///
/// // Choice: RFC 6455 §10.4 asks for limits on frames and messages and leaves the numbers to us. Without
/// them memory is bounded all the same, as no message is held here: they are for callers that hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The payload of a message in bytes, as the caller gets it: inflated.
    pub message: Option<u64>,
    /// The payload of a data frame in bytes, as it is sent.
    pub frame: Option<u64>,
    /// The frames of a message.
    pub fragments: Option<u64>,
    /// How much an extension gives out at once, in bytes; 0 counts as 1.
    pub piece: usize,
}

impl Limits {
    /// No limits, and pieces of 64 KiB.
    pub const DEFAULT: Self = Self { message: None, frame: None, fragments: None, piece: PIECE };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
