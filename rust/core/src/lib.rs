//! WebSocket version 13 without I/O: bytes in, events out; events in, bytes out.
//!
//! ```text
//! receive  bytes -> header -> state -> mask -> extension -> utf8 -> message -> Event
//!          (any cut) §5.2     §7.1     §5.3    §9           §8.1    §5.4
//! send     call  -> state -> message -> extension -> header -> mask -> Sent (bytes, written once)
//! failure  any stage -> Violation -> State::Failed, what was kept is dropped -> Event::Failed
//! ```
//!
//! The caller owns the sockets, the clock and the randomness. A whole conversation in memory:
//!
//! ```
//! use ws13::handshake::{Accept, ClientHandshake, Request, Response, ServerHandshake};
//! use ws13::{CloseCode, Connection, Event, Fin, Role};
//!
//! // The opening handshake, RFC 6455 §4. The nonce comes from a strong source of entropy.
//! let mut client = ClientHandshake::default();
//! let request = client.request(&Request::new("example.com", "/chat"), [7; 16]).unwrap();
//!
//! let mut server = ServerHandshake::default();
//! let received = server.receive(&request).unwrap().expect("the head is complete");
//! assert_eq!(received.target, "/chat");
//! let answer = server.accept(&Accept::default()).unwrap();
//!
//! let Some(Response::Accept(_)) = client.receive(&answer).unwrap() else { panic!() };
//! let (mut client, mut server) = (Connection::new(Role::Client), Connection::new(Role::Server));
//!
//! // Frames, §5. Every frame of a client is masked with a fresh key.
//! let mut wire = client.send_text("hello", Fin::Yes, || [1, 2, 3, 4]).unwrap().to_vec();
//! wire.extend(client.send_close(CloseCode(1000), "bye", || [5, 6, 7, 8]).unwrap().to_vec());
//!
//! let (mut input, mut scratch) = (wire.as_slice(), Vec::new());
//! while let Some(event) = server.receive(&mut input) {
//!     match event {
//!         Event::Text(text) => assert_eq!(text.decode(&mut scratch).unwrap().text, "hello"),
//!         Event::Close(code, reason) => assert_eq!((code.0, reason), (1000, "bye")),
//!         other => panic!("{other:?}"),
//!     }
//! }
//! ```

#![cfg_attr(test, expect(clippy::arithmetic_side_effects, reason = "tests count without fear"))]

mod close;
mod config;
mod connection;
pub mod deflate;
mod error;
mod event;
pub mod extension;
pub mod handshake;
mod header;
mod mask;
mod message;
mod meter;
mod opcode;
mod room;
mod sending;
mod state;
mod text;
mod utf8;

pub use close::{CloseBody, CloseCode, CloseCodeClass};
pub use config::{HandshakeLimits, Limits, Role};
pub use connection::Connection;
pub use deflate::PerMessageDeflate;
pub use error::{HandshakeError, Misuse, Violation};
pub use event::{Binary, Ends, Event, Payload};
pub use header::{
    Header, HeaderBytes, MAX_CONTROL_PAYLOAD, MAX_HEADER, Rsv, parse as parse_header,
};
pub use mask::{Mask, MaskingKey, Slot};
pub use opcode::{DataKind, Opcode};
pub use sending::{Fin, Framing, Sending, Sent};
pub use state::{RULES, Rule, State, Step};
pub use text::{Block, Checked, Decoded, Text};
pub use utf8::{Utf8Fault, Utf8FaultKind};
