//! The opening handshake over HTTP/1.1, RFC 6455 §4, for both ends.
//!
//! ```text
//! bytes -> head (RFC 9112) -> fields -> rules of §4 -> Request | Response -> answer
//! ```
//!
//! Bytes behind a head are never lost: after the handshake they are the first input of the
//! connection. What a stranger can make a handshake hold is bounded by
//! [`HandshakeLimits`](crate::HandshakeLimits), with the same verdict for any cut of the same bytes.

mod body;
mod client;
pub mod extensions;
mod fields;
mod head;
mod key;
mod server;
mod subprotocol;
mod target;

pub use client::ClientHandshake;
pub use key::accept_token;
pub use server::ServerHandshake;

/// The version of the protocol, RFC 6455 §4.1.
pub const VERSION: &str = "13";

/// How many subprotocols, and how many extensions, a server reads of an offer.
///
/// // Choice: a list of names of one byte takes up to fifty times as much memory as it has bytes when it is
/// read. Nobody offers as many as this. What stands behind them is checked, and then as if the client had
/// not offered it, which is no error: a server may choose none of what is offered, RFC 6455 §4.2.2.
pub const MAX_LIST: usize = 512;

/// A field of a head, RFC 9110 §5. Names of received fields are in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// A token.
    pub name: Vec<u8>,
    /// Without the white space around it.
    pub value: Vec<u8>,
}

impl Field {
    /// A field with this name and value.
    #[must_use]
    pub fn new(name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A client's request to open a connection, RFC 6455 §4.1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The value of Host: a host and perhaps a port, in ASCII.
    pub host: String,
    /// The request target: path and query, or an absolute URI.
    pub target: String,
    /// The subprotocols that the client speaks, the best one first; of a received request the first
    /// [`MAX_LIST`].
    pub subprotocols: Vec<String>,
    /// The extensions that the client offers, each with its parameters, the best one first; of a received
    /// request the first [`MAX_LIST`].
    pub extensions: Vec<String>,
    /// All other fields; of a received request also Upgrade, Connection, Sec-WebSocket-Key and
    /// Sec-WebSocket-Version.
    pub fields: Vec<Field>,
}

impl Request {
    /// A request without subprotocols, extensions and further fields.
    #[must_use]
    pub fn new(host: impl Into<String>, target: impl Into<String>) -> Self {
        Self { host: host.into(), target: target.into(), ..Self::default() }
    }
}

/// A server's acceptance of a request, RFC 6455 §4.2.2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accept {
    /// The subprotocol in use.
    pub subprotocol: Option<String>,
    /// The extensions in use, each with its parameters.
    pub extensions: Vec<String>,
    /// All other fields.
    pub fields: Vec<Field>,
}

/// A server's rejection of a request: a final response of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The status code, 200 to 599.
    pub status: u16,
    /// The fields of the response.
    pub fields: Vec<Field>,
    /// Whether a body follows.
    pub has_body: bool,
}

/// What a client receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The connection is open.
    Accept(Accept),
    /// The request was rejected; its body follows.
    Reject(Reject),
    /// A piece of the rejection's body.
    Body(Vec<u8>),
    /// The end of the rejection's body.
    BodyEnd,
}
