//! What the peer's part of the opening handshake can break.

use core::fmt;

use crate::deflate::ParameterFault;

/// A rule of the opening handshake, RFC 6455 §4, or of HTTP/1.1 that the peer's head broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandshakeError {
    /// Not a head of HTTP/1.1, RFC 9112.
    MalformedHead,
    /// The head is longer than the limit, in bytes.
    HeadTooLong(usize),
    /// The request line alone is longer than the limit for the head, in bytes.
    TargetTooLong(usize),
    /// More field lines than the limit.
    TooManyFields(usize),
    /// More interim responses than the limit.
    TooManyInterimResponses(usize),
    /// More bytes behind the request than the limit, before it was accepted.
    TooMuchEarlyData(usize),
    /// The stream ended before the handshake did.
    UnexpectedEof,
    /// A method other than GET.
    Method,
    /// A version of HTTP below 1.1.
    HttpVersion,
    /// A target that is neither an absolute path nor an absolute http(s) URI without fragment.
    Target,
    /// No Host field.
    MissingHost,
    /// More than one Host field, or one that names no host.
    InvalidHost,
    /// The request announces a body.
    Body,
    /// No `Upgrade: websocket`.
    MissingUpgrade,
    /// No `Connection: Upgrade`.
    MissingConnection,
    /// No Sec-WebSocket-Version.
    MissingVersion,
    /// Another version than 13.
    UnsupportedVersion,
    /// No Sec-WebSocket-Key.
    MissingKey,
    /// More than one key, or one that is not 16 bytes in base64.
    InvalidKey,
    /// Sec-WebSocket-Protocol is not a list of distinct tokens.
    MalformedSubprotocol,
    /// Sec-WebSocket-Extensions does not follow the grammar.
    MalformedExtensions,
    /// Sec-WebSocket-Accept is missing, doubled or wrong.
    BadAccept,
    /// The server chose a subprotocol that was not offered.
    UnrecognizedSubprotocol(String),
    /// The server chose an extension that was not offered.
    UnrecognizedExtension(String),
    /// The server's answer to the offer of permessage-deflate breaks a rule.
    DeflateParameter(ParameterFault),
    /// The body of a rejection is longer than the limit, in bytes.
    RejectionBodyTooLong(u64),
    /// The body of a rejection breaks its own framing.
    MalformedRejectionBody,
}

impl HandshakeError {
    /// The status code a server answers with, and the section that was broken.
    const fn rule(&self) -> (u16, &'static str) {
        match self {
            Self::MalformedHead => (400, "RFC 9112 2.2"),
            Self::HeadTooLong(_) | Self::TooManyFields(_) => (431, "RFC 6585 5"),
            Self::TargetTooLong(_) => (414, "RFC 9110 15.5.15"),
            Self::TooManyInterimResponses(_) => (400, "RFC 9110 15.2"),
            Self::TooMuchEarlyData(_) => (413, "RFC 6455 4.1"),
            Self::UnexpectedEof => (400, "RFC 9112 8"),
            Self::Method | Self::HttpVersion => (400, "RFC 6455 4.2.1"),
            Self::Target => (400, "RFC 6455 3"),
            Self::MissingHost | Self::InvalidHost => (400, "RFC 9112 3.2"),
            Self::Body => (400, "RFC 6455 4.1"),
            Self::MissingUpgrade | Self::MissingConnection => (400, "RFC 6455 4.2.1"),
            Self::MissingVersion => (400, "RFC 6455 4.2.1"),
            Self::UnsupportedVersion => (426, "RFC 6455 4.4"),
            Self::MissingKey | Self::InvalidKey => (400, "RFC 6455 4.2.1"),
            Self::MalformedSubprotocol => (400, "RFC 6455 11.3.4"),
            Self::MalformedExtensions => (400, "RFC 6455 9.1"),
            Self::BadAccept => (400, "RFC 6455 4.1"),
            Self::UnrecognizedSubprotocol(_) | Self::UnrecognizedExtension(_) => {
                (400, "RFC 6455 4.1")
            }
            Self::DeflateParameter(_) => (400, "RFC 7692 7.1"),
            Self::RejectionBodyTooLong(_) => (400, "RFC 9110 15"),
            Self::MalformedRejectionBody => (400, "RFC 9112 6"),
        }
    }

    /// The status code to answer a request with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.rule().0
    }

    /// The RFC and section that was broken.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        self.rule().1
    }

    /// Whether the answer must name the version we speak, RFC 6455 §4.4.
    #[must_use]
    pub const fn names_version(&self) -> bool {
        matches!(self, Self::MissingVersion | Self::UnsupportedVersion)
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MalformedHead => f.write_str("Bad HTTP message"),
            Self::HeadTooLong(limit) => write!(f, "HTTP head of more than {limit} bytes"),
            Self::TargetTooLong(limit) => write!(f, "Request line of more than {limit} bytes"),
            Self::TooManyFields(limit) => write!(f, "HTTP head of more than {limit} fields"),
            Self::TooManyInterimResponses(limit) => {
                write!(f, "More than {limit} interim responses")
            }
            Self::TooMuchEarlyData(limit) => {
                write!(f, "More than {limit} bytes sent before the answer to the request")
            }
            Self::UnexpectedEof => f.write_str("Connection closed during the opening handshake"),
            Self::Method => f.write_str("Request method must be GET"),
            Self::HttpVersion => f.write_str("Request version must be HTTP/1.1"),
            Self::Target => f.write_str("Request target is not a path or an absolute URI"),
            Self::MissingHost => f.write_str("Missing header, 'Host'"),
            Self::InvalidHost => f.write_str("Invalid header, 'Host'"),
            Self::Body => f.write_str("Request with a body"),
            Self::MissingUpgrade => f.write_str("Missing header, 'Upgrade: websocket'"),
            Self::MissingConnection => f.write_str("Missing header, 'Connection: Upgrade'"),
            Self::MissingVersion | Self::UnsupportedVersion => {
                f.write_str("Missing header, 'Sec-WebSocket-Version'")
            }
            Self::MissingKey => f.write_str("Missing header, 'Sec-WebSocket-Key'"),
            Self::InvalidKey => f.write_str("Invalid header, 'Sec-WebSocket-Key'"),
            Self::MalformedSubprotocol => f.write_str("Invalid header, 'Sec-WebSocket-Protocol'"),
            Self::MalformedExtensions => f.write_str("Invalid header, 'Sec-WebSocket-Extensions'"),
            Self::BadAccept => f.write_str("Bad accept token"),
            Self::UnrecognizedSubprotocol(name) => write!(f, "unrecognized subprotocol {name}"),
            Self::UnrecognizedExtension(name) => write!(f, "unrecognized extension {name}"),
            Self::DeflateParameter(fault) => {
                write!(f, "permessage-deflate: {fault} ({})", self.section())
            }
            Self::RejectionBodyTooLong(limit) => {
                write!(f, "Rejection body of more than {limit} bytes")
            }
            Self::MalformedRejectionBody => f.write_str("Bad HTTP message body"),
        }
    }
}

impl core::error::Error for HandshakeError {}
