//! What can go wrong, by blame: the peer broke the protocol while frames were exchanged
//! ([`Violation`]) or during the opening handshake ([`HandshakeError`]), or the caller asked for
//! something that must not be sent ([`Misuse`]).
//!
//! Every variant is one broken rule. Close code, status code, section and text are functions of it.

use core::fmt;

use crate::close::CloseCode;
use crate::opcode::DataKind;
use crate::state::{State, Step};
use crate::utf8::Utf8Fault;

/// A rule of RFC 6455 or of an extension that a frame of the peer broke. The connection fails,
/// RFC 6455 §7.1.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// An opcode that nobody defined.
    ReservedOpcode(u8),
    /// A control frame without FIN.
    FragmentedControlFrame,
    /// A control frame of more than 125 bytes.
    ControlFrameTooLong,
    /// A length below 126 in the 16-bit form.
    LengthNotMinimal16(u16),
    /// A length below 65536 in the 64-bit form.
    LengthNotMinimal64(u64),
    /// A 64-bit length with the most significant bit set.
    LengthOutOfRange(u64),
    /// A reserved bit that no extension in use gives a meaning to: the RSV bits of the frame.
    ReservedBits(u8),
    /// A server masked a frame.
    MaskedByServer,
    /// A client did not mask a frame.
    UnmaskedByClient,
    /// A continuation without a message to continue.
    UnexpectedContinuation,
    /// A new message before the end of the last one.
    ExpectedContinuation(DataKind),
    /// A text message that is not UTF-8.
    TextNotUtf8(Utf8Fault),
    /// A Close body of a single byte.
    CloseBodyOfOneByte,
    /// A close code below 1000 or above 4999.
    CloseCodeOutOfRange(CloseCode),
    /// A close code that must not be sent.
    CloseCodeLocalOnly(CloseCode),
    /// A close code that nobody defined.
    CloseCodeReserved(CloseCode),
    /// A close reason that is not UTF-8.
    CloseReasonNotUtf8(Utf8Fault),
    /// An extension refused the frame, with this close code.
    Extension(CloseCode),
}

impl Violation {
    /// The close code to fail the connection with, and the section of RFC 6455 that was broken.
    const fn rule(&self) -> (CloseCode, &'static str) {
        match self {
            Self::ReservedOpcode(_)
            | Self::LengthNotMinimal16(_)
            | Self::LengthNotMinimal64(_)
            | Self::LengthOutOfRange(_)
            | Self::ReservedBits(_) => (CloseCode::PROTOCOL_ERROR, "5.2"),
            Self::MaskedByServer | Self::UnmaskedByClient => (CloseCode::PROTOCOL_ERROR, "5.1"),
            Self::UnexpectedContinuation | Self::ExpectedContinuation(_) => {
                (CloseCode::PROTOCOL_ERROR, "5.4")
            }
            Self::FragmentedControlFrame | Self::ControlFrameTooLong => {
                (CloseCode::PROTOCOL_ERROR, "5.5")
            }
            Self::CloseBodyOfOneByte => (CloseCode::PROTOCOL_ERROR, "5.5.1"),
            Self::CloseCodeOutOfRange(_)
            | Self::CloseCodeLocalOnly(_)
            | Self::CloseCodeReserved(_) => (CloseCode::PROTOCOL_ERROR, "7.4"),
            Self::TextNotUtf8(_) | Self::CloseReasonNotUtf8(_) => {
                (CloseCode::INVALID_FRAME_PAYLOAD_DATA, "8.1")
            }
            Self::Extension(code) => (*code, "9"),
        }
    }

    /// The close code that says what happened, RFC 6455 §7.4.1.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        self.rule().0
    }

    /// The section of RFC 6455 that was broken.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        self.rule().1
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedOpcode(bits) => write!(f, "Invalid opcode {bits:#x}"),
            Self::FragmentedControlFrame => {
                f.write_str("Invalid attempt to fragment control frame")
            }
            Self::ControlFrameTooLong => f.write_str("Control frame with payload len > 125"),
            Self::LengthNotMinimal16(_) => {
                f.write_str("Payload length used 2 bytes when 1 would have sufficed")
            }
            Self::LengthNotMinimal64(_) => {
                f.write_str("Payload length used 8 bytes when 2 would have sufficed")
            }
            Self::LengthOutOfRange(_) => f.write_str("8-byte payload length with non-zero MSB"),
            Self::ReservedBits(_) => f.write_str("Reserved bit set unexpectedly"),
            Self::MaskedByServer => f.write_str("client received unexpected masked frame"),
            Self::UnmaskedByClient => f.write_str("server received unexpected unmasked frame"),
            Self::UnexpectedContinuation => f.write_str("unexpected CONTINUATION"),
            Self::ExpectedContinuation(DataKind::Text) => {
                f.write_str("expected CONTINUATION, got <Opcode.TEXT: 1>")
            }
            Self::ExpectedContinuation(DataKind::Binary) => {
                f.write_str("expected CONTINUATION, got <Opcode.BINARY: 2>")
            }
            Self::TextNotUtf8(fault) => fault.fmt(f),
            Self::CloseBodyOfOneByte => f.write_str("CLOSE with 1 byte payload"),
            Self::CloseCodeOutOfRange(_) => f.write_str("CLOSE with invalid code"),
            Self::CloseCodeLocalOnly(_) => f.write_str("remote CLOSE with local-only reason"),
            Self::CloseCodeReserved(_) => f.write_str("CLOSE with unknown reserved code"),
            Self::CloseReasonNotUtf8(fault) => write!(f, "Error decoding CLOSE reason: {fault}"),
            Self::Extension(_) => f.write_str("error in extension"),
        }
    }
}

impl core::error::Error for Violation {}

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
            Self::RejectionBodyTooLong(limit) => {
                write!(f, "Rejection body of more than {limit} bytes")
            }
            Self::MalformedRejectionBody => f.write_str("Bad HTTP message body"),
        }
    }
}

impl core::error::Error for HandshakeError {}

/// A call that must not reach the wire. Nothing was written and nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misuse {
    /// The connection is in a state that does not allow this step.
    State(State, Step),
    /// A control frame's payload of more than 125 bytes, RFC 6455 §5.5: its length.
    ControlPayloadTooLong(usize),
    /// The other kind of data inside a message, RFC 6455 §5.4.
    DataKindChanged,
    /// A number that must not stand in a Close frame, RFC 6455 §7.4.
    CloseCode(u64),
    /// A close reason needs a close code, RFC 6455 §5.5.1.
    CloseReasonWithoutCode,
    /// An extension refused the frame.
    Extension(CloseCode),
    /// There is no request to answer.
    NoRequest,
    /// A target that RFC 6455 §3 does not allow.
    Target(String),
    /// A host that RFC 3986 §3.2.2 does not allow.
    Host(String),
    /// A name that is not a token, RFC 9110 §5.1.
    FieldName(Vec<u8>),
    /// A value with control characters, RFC 9110 §5.5: the name of its field.
    FieldValue(Vec<u8>),
    /// A field that the handshake sets itself, or that would give it a body.
    FieldReserved(Vec<u8>),
    /// A subprotocol that is not a token or stands twice, RFC 6455 §4.1.
    Subprotocol(String),
    /// A subprotocol that the client did not offer, RFC 6455 §4.2.2.
    SubprotocolNotOffered(String),
    /// An extension parameter list that breaks the grammar, RFC 6455 §9.1.
    ExtensionHeader(String),
    /// A status code that is no rejection.
    Status(u16),
    /// The body does not have the length that Content-Length promised.
    BodyLength,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |bytes: &Vec<u8>| bytes.escape_ascii().to_string();
        match self {
            Self::State(state, step) => write!(f, "{step} is not possible in state {state}"),
            Self::ControlPayloadTooLong(length) => {
                write!(f, "payload too long for control frame ({length} bytes, at most 125)")
            }
            Self::DataKindChanged => f.write_str("Data type mismatch inside message"),
            Self::CloseCode(code) => write!(f, "close code {code} must not be sent"),
            Self::CloseReasonWithoutCode => f.write_str("cannot specify a reason without a code"),
            Self::Extension(code) => write!(f, "error in extension (close code {})", code.0),
            Self::NoRequest => f.write_str("there is no request to answer"),
            Self::Target(target) => write!(f, "invalid request target {target:?}"),
            Self::Host(host) => write!(f, "invalid host {host:?}"),
            Self::FieldName(name) => write!(f, "invalid header name '{}'", quoted(name)),
            Self::FieldValue(name) => write!(f, "invalid value of header '{}'", quoted(name)),
            Self::FieldReserved(name) => {
                write!(f, "header '{}' must not be among the extra headers", quoted(name))
            }
            Self::Subprotocol(name) => write!(f, "invalid subprotocol {name:?}"),
            Self::SubprotocolNotOffered(name) => write!(f, "unexpected subprotocol {name}"),
            Self::ExtensionHeader(value) => write!(f, "invalid extension parameters {value:?}"),
            Self::Status(status) => write!(f, "status code {status} rejects nothing"),
            Self::BodyLength => f.write_str("the body does not have the length of Content-Length"),
        }
    }
}

impl core::error::Error for Misuse {}
