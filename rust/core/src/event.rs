//! What a connection lends to its caller: payloads that still stand, masked, where they were
//! received, so that the caller can write them once, into their final place.

use crate::close::CloseCode;
use crate::error::Violation;
use crate::mask::{Mask, Slot};
use crate::text::Text;

/// Something that the peer did, RFC 6455 §5 and §7.
#[derive(Debug)]
pub enum Event<'a> {
    /// A piece of a text message.
    Text(Text<'a>),
    /// A piece of a binary message.
    Binary(Binary<'a>),
    /// A Ping, to be answered with a Pong of the same payload, §5.5.2.
    Ping(Payload<'a>),
    /// A Pong, §5.5.3.
    Pong(Payload<'a>),
    /// The peer's Close frame, §5.5.1: code (1005 if there was none) and reason.
    Close(CloseCode, &'a str),
    /// The peer broke a rule; the connection has failed and nothing else comes, §7.1.7.
    Failed(Violation),
}

/// A received payload, or a piece of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    masked: &'a [u8],
    mask: Mask,
}

impl<'a> Payload<'a> {
    pub(crate) const fn new(masked: &'a [u8], mask: Mask) -> Self {
        Self { masked, mask }
    }

    /// The bytes as they stand where they were received, or where an extension has put them.
    #[must_use]
    pub const fn masked(&self) -> &'a [u8] {
        self.masked
    }

    /// What unmasks them.
    #[must_use]
    pub const fn mask(&self) -> Mask {
        self.mask
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.masked.len()
    }

    /// Whether it has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.masked.is_empty()
    }

    /// Writes the payload to the beginning of `target`; stops at the end of the shorter one.
    #[inline(always)]
    pub fn copy_to<S: Slot>(&self, target: &mut [S]) {
        self.mask.copy(self.masked, target);
    }

    /// Appends the payload to `target`.
    pub fn append_to(&self, target: &mut Vec<u8>) {
        self.mask.append(self.masked, target);
    }

    /// The payload as a vector.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.append_to(&mut bytes);
        bytes
    }
}

/// A piece of a binary message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binary<'a> {
    /// Its bytes.
    pub payload: Payload<'a>,
    /// Which ends it reaches.
    pub ends: Ends,
    /// Bytes of its frame that are still to come, as far as they come out as they are; 0 if nobody
    /// knows. The peer's word for it.
    pub remaining: u64,
}

/// Which ends the piece of a message reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ends {
    /// The frame ends with the piece.
    pub frame: bool,
    /// The message ends with the piece.
    pub message: bool,
}
