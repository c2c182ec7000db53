//! What a connection is told when it is made: its role and its limits.

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
