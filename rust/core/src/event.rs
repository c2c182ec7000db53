//! What a connection lends to its caller: payloads that still stand, masked, where they were
//! received, so that the caller can write them once, into their final place.

use crate::close::CloseCode;
use crate::error::Violation;
use crate::mask::{Mask, Slot};
use crate::utf8::{Place, Utf8};

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

/// A piece of a text message, not looked at yet.
///
/// Either take it as ASCII with [`Text::copy_ascii`], or, when that says no, with [`Text::decode`].
#[derive(Debug)]
pub struct Text<'a> {
    payload: Payload<'a>,
    utf8: &'a mut Utf8,
    ends: Ends,
    taken: bool,
}

/// The text of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded<'s> {
    /// Whole code points; those that a piece only begins come with the next one.
    pub text: &'s str,
    /// Which ends the piece reaches; none if the text stops being UTF-8 behind it.
    pub ends: Ends,
}

impl<'a> Text<'a> {
    pub(crate) fn new(payload: Payload<'a>, utf8: &'a mut Utf8, ends: Ends) -> Self {
        Self { payload, utf8, ends, taken: false }
    }

    /// The length of the piece in bytes, masked as it stands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether the piece has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }

    /// Which ends the piece reaches, if it is UTF-8.
    #[must_use]
    pub const fn ends(&self) -> Ends {
        self.ends
    }

    /// Whether the piece can be ASCII: no code point is under way.
    #[must_use]
    pub fn may_be_ascii(&self) -> bool {
        self.utf8.pending().is_empty()
    }

    /// Writes the piece to `target`, which has room for all of it, and says whether it was ASCII, in
    /// one pass: which ends it reaches. If it was not, or if a code point is under way, `target` is of
    /// no use and [`Text::decode`] is to be called.
    #[must_use]
    #[inline(always)]
    pub fn copy_ascii<S: Slot>(&mut self, target: &mut [S]) -> Option<Ends> {
        let ascii = self.may_be_ascii()
            && target.len() >= self.len()
            && self.payload.mask.copy_ascii(self.payload.masked, target);
        if !ascii {
            return None;
        }
        self.utf8.skip_ascii(self.len());
        self.taken = true;
        Some(self.ends)
    }

    /// The whole code points of the piece, kept in `scratch`; `None` if there is none because the text
    /// stops being UTF-8 at once. The fault is then the next event.
    #[must_use]
    pub fn decode(mut self, scratch: &mut Vec<u8>) -> Option<Decoded<'_>> {
        self.taken = true;
        let text = self.advance(scratch);
        match self.utf8.has_fault() {
            false => Some(Decoded { text, ends: self.ends }),
            true if text.is_empty() => None,
            true => Some(Decoded { text, ends: Ends::default() }),
        }
    }

    fn advance<'s>(&mut self, scratch: &'s mut Vec<u8>) -> &'s str {
        scratch.clear();
        scratch.extend_from_slice(self.utf8.pending());
        self.payload.append_to(scratch);
        let place = if self.ends.message { Place::End } else { Place::Inside };
        self.utf8.advance(scratch, place)
    }
}

/// A piece that the caller does not want is validated all the same, §8.1.
impl Drop for Text<'_> {
    fn drop(&mut self) {
        if !self.taken {
            self.advance(&mut Vec::new());
        }
    }
}
