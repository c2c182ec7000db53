//! What a caller can ask for in vain.

use core::fmt;

use crate::close::CloseCode;
use crate::state::{State, Step};

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
