//! What can go wrong, by blame: the peer broke the protocol while frames were exchanged
//! ([`Violation`]) or during the opening handshake ([`HandshakeError`]), or the caller asked for
//! something that must not be sent ([`Misuse`]).
//!
//! Every variant is one broken rule. Close code, status code, section and text are functions of it.

mod handshake;
mod misuse;
mod violation;

pub use handshake::HandshakeError;
pub use misuse::Misuse;
pub use violation::Violation;
